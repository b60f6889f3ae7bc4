import { ApiError, type Client } from '../api/client.ts'
import type { ConversationUpdated } from '../api/types.ts'
import { find, titleOf, withConversation, withPage, withUpdate } from '../model/inbox.ts'
import { retry, Repeater } from './retry.ts'
import type { Store } from './store.ts'

// InboxControl keeps the list of conversations.
export class InboxControl {
  #refresher = new Repeater(() => this.#refresh())

  constructor(private readonly store: Store, private readonly client: Client) {}

  refresh(): void {
    void this.#refresher.ask()
  }

  async more(): Promise<void> {
    const { inbox, isLoadingMore } = this.store.state
    if (isLoadingMore || !inbox.hasMore) return
    this.store.set({ isLoadingMore: true })
    try {
      const page = await this.client.conversations(inbox.page + 1)
      this.store.setInbox(known => withPage(known, page, this.#me))
    } catch (error) {
      this.store.set({ toast: (error as Error).message })
    } finally {
      this.store.set({ isLoadingMore: false })
    }
  }

  updated(update: ConversationUpdated): void {
    const { inbox, openID } = this.store.state
    const known = find(inbox, update.conversation.id)
    this.store.setInbox(before => withUpdate(before, update, this.#me))
    const last = update.conversation.last_message
    const isNew = last && last.sender_id !== this.#me && last.id > (known?.last_message?.id ?? 0)
    if (isNew && update.conversation.id !== openID) {
      const now = find(this.store.state.inbox, update.conversation.id)!
      this.store.set({ announcement: `New message from ${last.sender.name} in ${titleOf(now, this.#me)}` })
    }
  }

  // create returns the id of the conversation, which may have been there before.
  async create(others: number[], title: string, body: string): Promise<number> {
    const update = await this.client.createConversation({
      participant_ids: others, ...title && { title }, ...body && { body },
    })
    this.store.setInbox(before => withUpdate(before, update, this.#me))
    return update.conversation.id
  }

  async mute(id: number, muted: boolean): Promise<void> {
    try {
      const conversation = await this.client.mute(id, muted)
      this.store.setInbox(before => withConversation(before, conversation))
    } catch (error) {
      this.store.set({ toast: (error as Error).message })
    }
  }

  get #me(): number {
    return this.store.state.me?.id ?? 0
  }

  async #refresh(): Promise<void> {
    const { me } = this.store.state
    try {
      const page = await retry(() => this.#ask(), () => me !== null && this.store.state.me === me)
      if (!page) return
      this.store.setInbox(known => withPage(known, page, this.#me))
      this.store.set({ inboxProblem: '' })
      if (this.store.state.connection === 'polling') this.#onlineByHeartbeat()
    } catch (error) {
      this.store.set({ inboxProblem: (error as Error).message })
    }
  }

  // The problem is shown while it is tried again.
  async #ask() {
    try {
      return await this.client.conversations()
    } catch (error) {
      if (error instanceof ApiError && error.isPassing) this.store.set({ inboxProblem: error.message })
      throw error
    }
  }

  // Without presence channels it is known of participants only, and a little late.
  #onlineByHeartbeat(): void {
    const people = this.store.state.inbox.conversations.flatMap(({ participants }) => participants ?? [])
    this.store.set({ online: new Set(people.filter(({ online }) => online).map(({ id }) => id)) })
  }
}
