// What the page does instead of opening a socket, if the server's settings say that there is none.

import type { Client } from '../api/client.ts'
import type { Listener, Live } from './live.ts'

export class Poll implements Live {
  #following: number | null = null
  #writing = new Set<number>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #isClosed = false

  constructor(private readonly client: Client, private readonly interval: number, private readonly listener: Listener) {
    listener.connection('polling')
    void this.#poll()
  }

  follow(id: number | null): void {
    if (this.#following === id) return
    this.#following = id
    this.#writing.clear()
    if (id !== null) this.listener.conversationReady(id)
  }

  view(): void {}

  retry(): void {
    clearTimeout(this.#timer)
    void this.#poll()
  }

  socketID(): undefined {}

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  async #poll(): Promise<void> {
    this.listener.inboxReady()
    const id = this.#following
    if (id !== null) {
      this.listener.conversationReady(id)
      // Typing is no reason to complain: the other two requests tell if the server is away.
      await this.#typing(id).catch(() => {})
    }
    clearTimeout(this.#timer)
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#poll(), this.interval)
  }

  async #typing(id: number): Promise<void> {
    const { typing } = await this.client.typing(id)
    if (this.#following !== id) return
    const now = new Set(typing.map(({ user }) => user.id))
    for (const one of typing) this.listener.typing(one, true)
    for (const user of this.#writing) {
      if (!now.has(user)) this.listener.typing({ conversation_id: id, user: { id: user, name: '', username: '', avatar_url: '' }, expires_at: null }, false)
    }
    this.#writing = now
  }
}
