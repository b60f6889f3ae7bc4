// Waiting for what the server does: always for a condition, never for a time.

// PATIENCE is how long a condition may take to become true. It only decides how long a failing test takes.
export const PATIENCE = 30_000

// RECONNECTING is the same for a client that lost its connection. When pusher-js finds nobody listening it
// tries again after 15 seconds, then after 30 more.
export const RECONNECTING = 60_000

// Options of tests.
export const limit = { timeout: 30_000 }
export const restartLimit = { timeout: 150_000 }

// Inbox keeps what a callback is called with until the test asks for it. To show that something did not come, send
// something else after it on the same channel and see that it is next: events of one channel keep their order.
export class Inbox {
  #what
  #entries = []
  #waiting = null

  constructor(what) {
    this.#what = what
  }

  // put is the callback. It keeps its first argument.
  put = entry => {
    this.#entries.push(entry)
    this.#waiting?.()
  }

  // putAll is the callback that keeps the list of its arguments.
  putAll = (...entries) => this.put(entries)

  // next returns the oldest entry not yet returned, as soon as there is one.
  async next(patience = PATIENCE) {
    if (this.#entries.length === 0) {
      await within(patience, this.#what, new Promise(resolve => { this.#waiting = resolve }))
      this.#waiting = null
    }
    return this.#entries.shift()
  }

  // size is how many entries have not been returned yet.
  get size() {
    return this.#entries.length
  }
}

// within rejects when the promise is not settled in time.
export async function within(patience, what, promise) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${patience / 1000} s for ${what}`)), patience)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

// until asks again and again, for conditions that nothing announces.
export async function until(what, condition, patience = PATIENCE) {
  const end = Date.now() + patience
  while (!await condition()) {
    if (Date.now() > end) throw new Error(`waited ${patience / 1000} s until ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
