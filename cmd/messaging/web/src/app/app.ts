// App starts the page and connects its parts: the client, what is heard live, and those who keep the state.

import { ApiError, Client } from '../api/client.ts'
import type { Me, MemberInfo } from '../api/types.ts'
import { withMessage as inboxWithMessage } from '../model/inbox.ts'
import { withMessage } from '../model/thread.ts'
import type { Connection, Listener, Live } from '../realtime/live.ts'
import { Poll } from '../realtime/poll.ts'
import { Socket } from '../realtime/socket.ts'
import { Attendance } from './attendance.ts'
import { InboxControl } from './inbox.ts'
import { Notices } from './notices.ts'
import { retry } from './retry.ts'
import { Sender } from './sender.ts'
import type { Store } from './store.ts'
import { ThreadControl } from './thread.ts'

export class App implements Listener {
  readonly client = new Client()
  readonly sender: Sender
  readonly inbox: InboxControl
  readonly thread: ThreadControl
  readonly attendance: Attendance
  readonly notices: Notices
  #live: Live | null = null

  constructor(readonly store: Store) {
    this.sender = new Sender(store, this.client)
    this.inbox = new InboxControl(store, this.client)
    this.thread = new ThreadControl(store, this.client, this.sender)
    this.attendance = new Attendance(store, this.client)
    this.notices = new Notices(store, this.client)

    this.client.onSignedOut = () => this.#signOut()
    this.client.socketID = () => this.#live?.socketID()
    this.sender.delivered = message => {
      store.setThread(message.conversation_id, thread => withMessage(thread, message))
      store.setInbox(inbox => inboxWithMessage(inbox, message))
    }
    addEventListener('hashchange', () => this.#route())
    addEventListener('online', () => this.retry())
    document.addEventListener('visibilitychange', () => this.#looked())
  }

  async start(): Promise<void> {
    try {
      const config = await retry(() => this.#reach(), () => true)
      this.store.set({ config: config! })
      const { user } = await this.client.user()
      this.#signedIn(user)
    } catch (error) {
      this.store.set({ phase: error instanceof ApiError && error.status === 401 ? 'signed-out' : 'unreachable' })
    }
  }

  async #reach() {
    try {
      return await this.client.config()
    } catch (error) {
      this.store.set({ phase: 'unreachable' })
      throw error
    }
  }

  async login(username: string, password: string): Promise<void> {
    const { user } = await this.client.login(username, password)
    this.#signedIn(user)
  }

  async logout(): Promise<void> {
    this.attendance.stopWriting()
    await this.client.logout().catch(() => {})
    this.#signOut()
    history.replaceState(null, '', location.pathname)
  }

  #signedIn(me: Me): void {
    const config = this.store.state.config!
    this.store.reset({ phase: 'ready', me })
    this.notices.reset()
    this.sender.start(me.id)
    this.#live = config.realtime
      ? new Socket(this.client, config, me.id, this)
      : new Poll(this.client, config.poll_interval_ms, this)
    this.thread.live = this.#live
    this.inbox.refresh()
    this.attendance.start()
    void this.notices.refresh()
    this.#route()
    this.#looked()
  }

  #signOut(): void {
    if (this.store.state.phase === 'signed-out') return
    this.#live?.close()
    this.#live = this.thread.live = null
    this.attendance.stop()
    this.sender.stop()
    this.store.reset({ phase: 'signed-out' })
  }

  // The address has the conversation, so that it can be kept, reloaded and gone back to.
  #route(): void {
    if (this.store.state.phase !== 'ready') return
    this.attendance.stopWriting()
    const id = Number(/^#\/c\/(\d+)$/.exec(location.hash)?.[1] ?? 0)
    void this.thread.open(id || null)
    if (id) {
      this.attendance.beat()
      this.notices.readOf(id)
    }
  }

  open(id: number | null): void {
    location.hash = id === null ? '' : `#/c/${id}`
  }

  // retry is for when the server or the network is likely to be back.
  retry(): void {
    this.#live?.retry()
    this.sender.wake()
  }

  #looked(): void {
    const isLooking = document.visibilityState === 'visible'
    this.#live?.view(isLooking)
    if (!isLooking || this.store.state.phase !== 'ready') return
    this.attendance.beat()
    if (this.store.state.connection === 'lost') this.retry()
  }

  // From here on, what is heard live.

  connection(connection: Connection): void {
    const isBack = connection === 'connected' && this.store.state.connection === 'lost'
    this.store.set({ connection })
    if (connection === 'lost') this.store.set({ typists: [], viewing: [] })
    if (!isBack) return
    this.store.set({ isCatchingUp: this.store.state.thread?.loaded ?? false })
    this.sender.wake()
    this.attendance.beat()
  }

  inboxReady(): void {
    this.inbox.refresh()
    void this.notices.refresh()
  }

  conversationReady = (id: number) => this.thread.catchUp(id)
  refused = (id: number) => this.thread.refused(id)
  updated: Listener['updated'] = update => this.inbox.updated(update)
  message: Listener['message'] = message => this.thread.message(message)
  read: Listener['read'] = marker => this.thread.marker(marker)
  typing: Listener['typing'] = (typing, isWriting) => this.attendance.heard(typing, isWriting)

  notified: Listener['notified'] = notification => {
    this.notices.received(notification)
    const { openID } = this.store.state
    if (openID !== null && notification.data.conversation_id === openID) this.notices.readOf(openID)
  }

  online(members: MemberInfo[]): void {
    this.store.set({ online: new Set(members.map(({ id }) => id)) })
  }

  viewing(id: number, members: MemberInfo[]): void {
    if (id === this.store.state.openID) this.store.set({ viewing: members })
  }
}
