// How the page hears of what others do: over a socket, or by asking.

import type { ConversationUpdated, MemberInfo, Message, Notification, ReadMarker, Typing } from '../api/types.ts'

// Connection is how live the page is. "lost" is a socket that was there and is being made again; "polling" is what the
// server's settings ask for.
export type Connection = 'connecting' | 'connected' | 'lost' | 'polling'

export interface Listener {
  connection(state: Connection): void
  // From now on nothing is missed; what was missed before has to be asked for.
  inboxReady(): void
  conversationReady(id: number): void
  refused(id: number): void

  updated(update: ConversationUpdated): void
  notified(notification: Notification): void
  message(message: Message): void
  read(marker: ReadMarker): void
  typing(typing: Typing, isWriting: boolean): void
  online(members: MemberInfo[]): void
  viewing(id: number, members: MemberInfo[]): void
}

export interface Live {
  // follow hears what happens in a conversation, and in no other.
  follow(id: number | null): void
  // view tells the others in that conversation whether the user is looking at it.
  view(isLooking: boolean): void
  // retry does not wait for the next attempt.
  retry(): void
  socketID(): string | undefined
  close(): void
}
