import { ApiError } from '../api/client.ts'
import { backoff } from '../model/backoff.ts'

// retry asks again while the server is away and somebody still wants to know.
export async function retry<T>(ask: () => Promise<T>, isWanted: () => boolean): Promise<T | undefined> {
  for (let attempt = 0; isWanted(); attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof ApiError) || !error.isPassing) throw error
      await new Promise(resolve => setTimeout(resolve, Math.max(error.retryAfter * 1000, backoff(attempt, Math.random()))))
    }
  }
  return undefined
}

// Repeater runs something again if it was asked for while it ran, but never twice at once.
export class Repeater {
  #isRunning = false
  #isWanted = false

  constructor(private readonly run: () => Promise<void>) {}

  async ask(): Promise<void> {
    this.#isWanted = true
    if (this.#isRunning) return
    this.#isRunning = true
    try {
      while (this.#isWanted) {
        this.#isWanted = false
        await this.run()
      }
    } finally {
      this.#isRunning = false
    }
  }
}
