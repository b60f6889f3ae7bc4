import { ApiError, type Client } from '../api/client.ts'
import type { Message, ReadMarker } from '../api/types.ts'
import { withMarker as inboxWithMarker, withMessage as inboxWithMessage, withUnread, withUpdate } from '../model/inbox.ts'
import {
  newestOfOthers, newThread, withDelta, withEntry, withMarker, withMessage, withNewMark, withOlder, withView,
} from '../model/thread.ts'
import { stopped } from '../model/typing.ts'
import type { Live } from '../realtime/live.ts'
import { retry, Repeater } from './retry.ts'
import type { Sender } from './sender.ts'
import type { Store } from './store.ts'

const PAGE = 200
// Whoever was away for longer than this many pages gets the newest messages and may scroll back.
const MOST_PAGES = 10

// ThreadControl keeps the conversation that is open.
export class ThreadControl {
  live: Live | null = null
  #catcher = new Repeater(() => this.#catchUp())
  #reader = new Repeater(() => this.#read())
  #acknowledged = 0 // the marker as the server has it

  constructor(private readonly store: Store, private readonly client: Client, private readonly sender: Sender) {}

  // open loads a conversation once. What comes later is heard of live.
  async open(id: number | null): Promise<void> {
    if (this.store.state.openID === id && !this.store.state.threadProblem) return
    this.store.set({
      openID: id, thread: id === null ? null : newThread(id), threadProblem: null, isLoadingOlder: false, typists: [], viewing: [],
    })
    this.#acknowledged = 0
    if (id === null) return this.live?.follow(null)
    await this.#load(id)
  }

  async #load(id: number): Promise<void> {
    try {
      const view = await retry(() => this.#ask(id), () => this.#isOpen(id))
      if (!view || !this.#isOpen(id)) return
      this.store.set({ threadProblem: null })
      this.store.setThread(id, thread => withView(thread, view, this.#me))
      this.store.setInbox(inbox => withUpdate(inbox, view, this.#me))
      for (const entry of this.sender.entries(id)) this.store.setThread(id, thread => withEntry(thread, entry))
      this.#acknowledged = this.store.state.thread?.markers[this.#me]?.messageID ?? 0
      this.live?.follow(id)
    } catch (error) {
      if (this.#isOpen(id)) this.store.set({ threadProblem: 'missing' })
    }
  }

  // The problem is shown while it is tried again.
  async #ask(id: number) {
    try {
      return await this.client.view(id)
    } catch (error) {
      if (this.#isOpen(id) && error instanceof ApiError && error.isPassing) this.store.set({ threadProblem: 'unreachable' })
      throw error
    }
  }

  async older(): Promise<void> {
    const { thread, isLoadingOlder } = this.store.state
    const oldest = thread?.entries[0]?.id
    if (!thread?.hasOlder || isLoadingOlder || !oldest) return
    this.store.set({ isLoadingOlder: true })
    try {
      const view = await this.client.view(thread.id, oldest)
      this.store.setThread(thread.id, known => withOlder(known, view, this.#me))
    } catch (error) {
      this.store.set({ toast: (error as Error).message })
    } finally {
      if (this.#isOpen(thread.id)) this.store.set({ isLoadingOlder: false })
    }
  }

  // catchUp asks for what was missed, and reads again what could not be marked as read.
  catchUp(id: number): void {
    if (this.#isOpen(id)) void this.#catcher.ask()
  }

  async #catchUp(): Promise<void> {
    const id = this.store.state.openID
    if (id === null || !this.store.state.thread?.loaded) return
    try {
      const isComplete = await retry(() => this.#deltas(id), () => this.#isOpen(id))
      if (isComplete === false) await this.#load(id)
    } catch (error) {
      this.refused(id)
    } finally {
      this.store.set({ isCatchingUp: false })
    }
  }

  async #deltas(id: number): Promise<boolean> {
    for (let page = 0; page < MOST_PAGES; page++) {
      const { cursor, changeCursor } = this.store.state.thread!
      const delta = await this.client.delta(id, cursor, changeCursor, PAGE)
      if (!this.#isOpen(id)) return true
      this.store.setThread(id, thread => withDelta(thread, delta))
      const last = delta.messages.at(-1)
      if (last) this.store.setInbox(inbox => inboxWithMessage(inbox, last))
      if (!this.#hasReadAll()) this.store.setInbox(inbox => withUnread(inbox, id, delta.unread_count))
      if (!delta.has_more && !delta.has_more_changes) return true
    }
    return false
  }

  message(message: Message): void {
    const id = message.conversation_id
    this.store.setThread(id, thread => withMessage(thread, message))
    this.store.setInbox(inbox => inboxWithMessage(inbox, message))
    if (!this.#isOpen(id)) return
    if (document.visibilityState === 'hidden') this.store.setThread(id, thread => withNewMark(thread, this.#me))
    this.store.set({ typists: stopped(this.store.state.typists, message.sender_id) })
    if (message.truncated) void this.#whole(message).catch(() => {})
  }

  // whole asks for a message of which an event had room for the beginning only.
  async #whole({ id, conversation_id: conversation }: Message): Promise<void> {
    const delta = await this.client.delta(conversation, id - 1, this.store.state.thread?.changeCursor ?? 0, 1)
    for (const message of delta.messages) this.store.setThread(conversation, thread => withMessage(thread, message))
  }

  marker(marker: ReadMarker): void {
    this.store.setThread(marker.conversation_id, thread => withMarker(thread, marker))
    this.store.setInbox(inbox => inboxWithMarker(inbox, marker))
    // Another window of the user's has read it.
    if (marker.user_id === this.#me && this.#hasReadAll()) {
      this.store.setInbox(inbox => withUnread(inbox, marker.conversation_id, 0))
    }
  }

  refused(id: number): void {
    if (this.#isOpen(id)) this.store.set({ threadProblem: 'missing' })
  }

  // seen is called when the newest message is before the user's eyes.
  seen(): void {
    void this.#reader.ask().catch(() => {})
  }

  async #read(): Promise<void> {
    const { thread } = this.store.state
    const newest = thread?.loaded ? newestOfOthers(thread, this.#me) : 0
    if (!thread || newest <= this.#acknowledged) return
    const { id } = thread
    this.marker({ conversation_id: id, user_id: this.#me, last_read_message_id: newest, last_read_at: new Date().toISOString() })
    const result = await retry(() => this.client.read(id, newest), () => this.#isOpen(id))
    if (!result) return
    if (this.#isOpen(id)) this.#acknowledged = Math.max(this.#acknowledged, newest)
    const unread = this.#isOpen(id) && this.#hasReadAll() ? 0 : result.unread_count
    const total = result.summary.unread_total - result.unread_count + unread
    this.store.setInbox(inbox => withUnread(inboxWithMarker(inbox, result.marker), id, unread, total))
  }

  async edit(message: number, body: string): Promise<void> {
    await this.#change(id => this.client.edit(id, message, body))
  }

  async remove(message: number): Promise<void> {
    await this.#change(id => this.client.remove(id, message))
  }

  async #change(ask: (id: number) => Promise<Message>): Promise<void> {
    const id = this.store.state.openID
    if (id === null) return
    try {
      this.message(await ask(id))
    } catch (error) {
      this.store.set({ toast: (error as Error).message })
    }
  }

  get #me(): number {
    return this.store.state.me?.id ?? 0
  }

  #isOpen(id: number): boolean {
    return this.store.state.openID === id
  }

  #hasReadAll(): boolean {
    const { thread } = this.store.state
    return thread !== null && (thread.markers[this.#me]?.messageID ?? 0) >= newestOfOthers(thread, this.#me)
  }
}
