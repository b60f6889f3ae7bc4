// How things are put into words. Times are shown in the reader's zone and language; locale and zone are given by tests.

export interface Place {
  locale?: string
  timeZone?: string
}

export function clock(iso: string, { locale, timeZone }: Place = {}): string {
  return new Date(iso).toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit', timeZone })
}

export function fullTime(iso: string, { locale, timeZone }: Place = {}): string {
  return new Date(iso).toLocaleString(locale, { dateStyle: 'full', timeStyle: 'short', timeZone })
}

// dayKey names the calendar day something happened on where the reader is.
export function dayKey(time: string | number, { timeZone }: Place = {}): string {
  return new Date(time).toLocaleDateString('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
}

function daysAgo(iso: string, now: number, place: Place): number {
  return (Date.parse(dayKey(now, place)) - Date.parse(dayKey(iso, place))) / 86_400_000
}

export function dayLabel(iso: string, now: number, place: Place = {}): string {
  const days = daysAgo(iso, now, place)
  if (days === 0) return 'Today'
  if (days === 1) return 'Yesterday'
  const { locale, timeZone } = place
  const year = days > 300 ? 'numeric' as const : undefined
  return new Date(iso).toLocaleDateString(locale, { weekday: 'long', day: 'numeric', month: 'long', year, timeZone })
}

// shortTime is for lists: the clock today, then the day.
export function shortTime(iso: string, now: number, place: Place = {}): string {
  const days = daysAgo(iso, now, place)
  if (days <= 0) return clock(iso, place)
  if (days === 1) return 'Yesterday'
  const { locale, timeZone } = place
  if (days < 7) return new Date(iso).toLocaleDateString(locale, { weekday: 'short', timeZone })
  const year = days > 300 ? '2-digit' as const : undefined
  return new Date(iso).toLocaleDateString(locale, { day: 'numeric', month: 'short', year, timeZone })
}

export function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]]
  return letters.map(word => [...word ?? ''][0] ?? '').join('').toLocaleUpperCase()
}

export function listNames(names: readonly string[]): string {
  if (names.length < 3) return names.join(' and ')
  if (names.length === 3) return `${names[0]}, ${names[1]} and ${names[2]}`
  return `${names[0]}, ${names[1]} and ${names.length - 2} others`
}

export function typingLine(names: readonly string[]): string {
  if (names.length === 0) return ''
  return `${listNames(names)} ${names.length === 1 ? 'is' : 'are'} typing`
}

export function badge(count: number): string {
  return count > 99 ? '99+' : String(count)
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}

export function pageTitle(unread: number): string {
  return unread > 0 ? `(${badge(unread)}) Messages` : 'Messages'
}

export interface Segment {
  text: string
  href?: string
}

const LINK = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g

// segments finds the web addresses in a text.
export function segments(text: string): Segment[] {
  const list: Segment[] = []
  let end = 0
  for (const match of text.matchAll(LINK)) {
    if (match.index > end) list.push({ text: text.slice(end, match.index) })
    list.push({ text: match[0], href: match[0] })
    end = match.index + match[0].length
  }
  if (end < text.length) list.push({ text: text.slice(end) })
  return list
}
