import type { Client } from '../api/client.ts'
import type { Typing } from '../api/types.ts'
import { current, LASTS, REPEAT, started, stopped } from '../model/typing.ts'
import type { Store } from './store.ts'

const HEARTBEAT = 30_000

// Attendance tells the server that the user is there and when they write, and keeps who else writes.
export class Attendance {
  #heart: ReturnType<typeof setInterval> | undefined
  #saidAt = 0
  #writingIn: number | null = null
  #pause: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly store: Store, private readonly client: Client) {}

  start(): void {
    this.beat()
    this.#heart = setInterval(() => this.beat(), HEARTBEAT)
  }

  stop(): void {
    clearInterval(this.#heart)
    clearTimeout(this.#pause)
    this.#writingIn = null
  }

  // beat fails silently: it comes again. A conversation is named only once it is known to be the user's, since the
  // whole heartbeat is refused with a stranger's.
  beat(): void {
    const { thread } = this.store.state
    this.client.heartbeat(thread?.loaded ? thread.id : null).catch(() => {})
  }

  // wrote is called when the text being written changes.
  wrote(id: number, text: string): void {
    if (!text.trim()) return this.stopWriting()
    clearTimeout(this.#pause)
    this.#pause = setTimeout(() => this.stopWriting(), LASTS)
    const now = Date.now()
    if (this.#writingIn === id && now - this.#saidAt < REPEAT) return
    this.#writingIn = id
    this.#saidAt = now
    this.client.startTyping(id).catch(() => {})
  }

  stopWriting(): void {
    clearTimeout(this.#pause)
    const id = this.#writingIn
    this.#writingIn = null
    if (id !== null) this.client.stopTyping(id).catch(() => {})
  }

  heard({ conversation_id: id, user }: Typing, isWriting: boolean): void {
    const { openID, me, typists } = this.store.state
    if (id !== openID || user.id === me?.id) return
    if (!isWriting) return this.store.set({ typists: stopped(typists, user.id) })
    this.store.set({ typists: started(typists, user, Date.now()) })
    setTimeout(() => this.#expire(), LASTS + 1)
  }

  #expire(): void {
    const typists = current(this.store.state.typists, Date.now())
    if (typists.length < this.store.state.typists.length) this.store.set({ typists })
  }
}
