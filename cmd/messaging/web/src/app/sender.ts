import { ApiError, type Client } from '../api/client.ts'
import type { Message } from '../api/types.ts'
import { backoff } from '../model/backoff.ts'
import { type Entry, fromDraft } from '../model/entries.ts'
import { Outbox, type Unsent } from '../model/outbox.ts'
import { withEntry, withoutEntry } from '../model/thread.ts'
import type { Store } from './store.ts'

type Status = Pick<Entry, 'state' | 'problem'>

const sending: Status = { state: 'sending', problem: '' }

// Sender sends what the user wrote: in order, one at a time in each conversation, again and again while the server is
// away. What the server refuses waits for the user.
export class Sender {
  // delivered is called with each message once the server has it.
  delivered: (message: Message) => void = () => {}

  #outbox: Outbox | null = null
  #status = new Map<string, Status>() // by client temp id
  #busy = new Set<number>() // conversations
  #wakers = new Set<() => void>()

  constructor(private readonly store: Store, private readonly client: Client) {}

  start(user: number): void {
    this.#outbox = new Outbox(sessionStorage, `messaging.unsent.${user}`)
    this.wake()
    for (const { conversationID } of this.#outbox.list) void this.#pump(conversationID)
  }

  stop(): void {
    this.#outbox = null
    this.wake()
  }

  send(conversationID: number, body: string): void {
    const unsent = {
      conversationID, body, uuid: uuid(), clientTempID: uuid(), createdAt: new Date().toISOString(),
    }
    this.#outbox?.add(unsent)
    this.#show(unsent, sending)
    void this.#pump(conversationID)
  }

  // entries are those of a conversation that are still to be sent.
  entries(conversationID: number): Entry[] {
    return this.#unsent(conversationID).map(unsent => this.#entry(unsent))
  }

  retry(clientTempID: string): void {
    const unsent = this.#outbox?.list.find(one => one.clientTempID === clientTempID)
    if (!unsent) return
    this.#show(unsent, sending)
    this.wake()
    void this.#pump(unsent.conversationID)
  }

  discard(entry: Entry): void {
    this.#outbox?.remove(entry.clientTempID!)
    const id = this.store.state.openID
    if (id !== null) this.store.setThread(id, thread => withoutEntry(thread, entry.key))
  }

  // wake has everything that waits for the server tried at once.
  wake(): void {
    for (const wake of this.#wakers) wake()
  }

  async #pump(conversationID: number): Promise<void> {
    if (this.#busy.has(conversationID)) return
    this.#busy.add(conversationID)
    try {
      for (let next = this.#next(conversationID); next; next = this.#next(conversationID)) await this.#deliver(next)
    } finally {
      this.#busy.delete(conversationID)
    }
  }

  #next(conversationID: number): Unsent | undefined {
    return this.#unsent(conversationID).find(({ clientTempID }) => this.#status.get(clientTempID)?.state !== 'failed')
  }

  #unsent(conversationID: number): Unsent[] {
    return this.#outbox?.list.filter(unsent => unsent.conversationID === conversationID) ?? []
  }

  async #deliver(unsent: Unsent): Promise<void> {
    const outbox = this.#outbox
    for (let attempt = 0; outbox && this.#outbox === outbox && outbox.list.includes(unsent); attempt++) {
      try {
        const message = await this.client.send(unsent.conversationID, unsent.body, unsent.clientTempID, unsent.uuid)
        outbox.remove(unsent.clientTempID)
        return this.delivered(message)
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        if (error.status === 401) return this.stop()
        if (!error.isPassing) return this.#show(unsent, { state: 'failed', problem: error.errors.body?.[0] ?? error.message })
        this.#show(unsent, { state: 'waiting', problem: error.message })
        await this.#pause(Math.max(error.retryAfter * 1000, backoff(attempt, Math.random())))
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        clearTimeout(timer)
        this.#wakers.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#wakers.add(wake)
    })
  }

  #show(unsent: Unsent, status: Status): void {
    this.#status.set(unsent.clientTempID, status)
    const entry = this.#entry(unsent)
    this.store.setThread(unsent.conversationID, thread => withEntry(thread, entry))
  }

  #entry(unsent: Unsent): Entry {
    return { ...fromDraft(unsent, this.store.state.me!), ...this.#status.get(unsent.clientTempID) ?? sending }
  }
}

// uuid works also where crypto.randomUUID does not: on plain http.
function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = bytes[6]! & 0x0f | 0x40
  bytes[8] = bytes[8]! & 0x3f | 0x80
  const hex = [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
