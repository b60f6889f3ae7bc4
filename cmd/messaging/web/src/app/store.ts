// Everything that is shown, in one place. What changes it is in the other files of this folder; what draws it is in ui.

import type { Config, Me, MemberInfo, Notification } from '../api/types.ts'
import { emptyInbox, type Inbox } from '../model/inbox.ts'
import type { Thread } from '../model/thread.ts'
import type { Typist } from '../model/typing.ts'
import type { Connection } from '../realtime/live.ts'

export interface State {
  phase: 'starting' | 'unreachable' | 'signed-out' | 'ready'
  config: Config | null
  me: Me | null
  connection: Connection
  isCatchingUp: boolean // after the connection was lost

  inbox: Inbox
  inboxProblem: string
  isLoadingMore: boolean

  openID: number | null
  thread: Thread | null // of openID
  threadProblem: 'missing' | 'unreachable' | null
  isLoadingOlder: boolean
  typists: readonly Typist[]
  viewing: readonly MemberInfo[]
  online: ReadonlySet<number>

  notifications: readonly Notification[]
  unreadNotifications: number
  hasMoreNotifications: boolean

  toast: string
  announcement: string // for screen readers
}

export const initial: State = {
  phase: 'starting', config: null, me: null, connection: 'connecting', isCatchingUp: false,
  inbox: emptyInbox, inboxProblem: '', isLoadingMore: false,
  openID: null, thread: null, threadProblem: null, isLoadingOlder: false, typists: [], viewing: [], online: new Set(),
  notifications: [], unreadNotifications: 0, hasMoreNotifications: false,
  toast: '', announcement: '',
}

// Store holds the state and tells, once for all changes of a moment, that it is another.
export class Store {
  state: State = initial
  #isTold = true

  constructor(private readonly draw: (state: State) => void) {}

  set(change: Partial<State>): void {
    this.state = { ...this.state, ...change }
    if (!this.#isTold) return
    this.#isTold = false
    queueMicrotask(() => {
      this.#isTold = true
      this.draw(this.state)
    })
  }

  // setThread changes the open conversation, if it is still that one.
  setThread(id: number, change: (thread: Thread) => Thread): void {
    const { thread } = this.state
    if (thread?.id === id) this.set({ thread: change(thread) })
  }

  setInbox(change: (inbox: Inbox) => Inbox): void {
    this.set({ inbox: change(this.state.inbox) })
  }

  // reset forgets everything about a user.
  reset(change: Partial<State>): void {
    this.set({ ...initial, config: this.state.config, ...change })
  }
}
