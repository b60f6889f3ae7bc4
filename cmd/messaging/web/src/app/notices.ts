import type { Client } from '../api/client.ts'
import type { Notification } from '../api/types.ts'
import type { Store } from './store.ts'

// Notices keeps the notifications.
export class Notices {
  #page = 0

  constructor(private readonly store: Store, private readonly client: Client) {}

  // refresh and more leave things as they are if the server is away: the next reconnect asks again.
  async refresh(): Promise<void> {
    const answer = await this.client.notifications().catch(() => null)
    if (!answer) return
    this.#page = Math.max(this.#page, 1)
    this.store.set({ unreadNotifications: answer.unread_count })
    if (this.#page === 1) this.store.set({ hasMoreNotifications: answer.has_more })
    this.#put(answer.notifications)
  }

  async more(): Promise<void> {
    const answer = await this.client.notifications(this.#page + 1).catch(() => null)
    if (!answer) return
    this.#page = answer.page
    this.store.set({ hasMoreNotifications: answer.has_more })
    this.#put(answer.notifications)
  }

  received(notification: Notification): void {
    const isNew = !this.store.state.notifications.some(({ id }) => id === notification.id)
    this.#put([notification])
    if (isNew && !notification.read_at) this.store.set({ unreadNotifications: this.store.state.unreadNotifications + 1 })
  }

  async read(id: string): Promise<void> {
    const { notification, unread_count: unread } = await this.client.readNotification(id)
    this.#put([notification])
    this.store.set({ unreadNotifications: unread })
  }

  // readOf reads what is known about a conversation that is being looked at.
  readOf(conversation: number): void {
    const unread = this.store.state.notifications.filter(n => !n.read_at && n.data.conversation_id === conversation)
    for (const { id } of unread) this.read(id).catch(() => {})
  }

  async readAll(): Promise<void> {
    const unread = this.store.state.notifications.filter(n => !n.read_at)
    await Promise.all(unread.map(({ id }) => this.read(id))).catch(error => this.store.set({ toast: error.message }))
  }

  reset(): void {
    this.#page = 0
  }

  #put(list: readonly Notification[]): void {
    const all = new Map([...this.store.state.notifications, ...list].map(n => [n.id, n]))
    const notifications = [...all.values()].sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at))
    this.store.set({ notifications })
  }
}
