const FIRST = 500
const LONGEST = 15_000

// backoff is how long to wait before trying again, in ms: twice as long each time, and not at the same moment as
// everybody else. random is from 0 to 1.
export function backoff(attempt: number, random: number): number {
  const longest = Math.min(LONGEST, FIRST * 2 ** attempt)
  return longest / 2 + random * longest / 2
}
