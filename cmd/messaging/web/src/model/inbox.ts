// The list of conversations and its counts.

import type { Conversation, ConversationUpdated, Conversations, Message, Participant, ReadMarker } from '../api/types.ts'

export interface Inbox {
  loaded: boolean
  conversations: Conversation[]
  unreadTotal: number
  page: number
  hasMore: boolean
}

export const emptyInbox: Inbox = { loaded: false, conversations: [], unreadTotal: 0, page: 0, hasMore: false }

// withPage takes one page of the list. The first page brings a list up to date that was loaded before.
export function withPage(inbox: Inbox, page: Conversations, me: number): Inbox {
  const reconciled = page.conversations.map(next => reconcile(find(inbox, next.id), next, me))
  const news = new Set(reconciled.map(({ id }) => id))
  const rest = inbox.conversations.filter(({ id }) => !news.has(id))
  const forgotten = page.conversations.reduce((sum, next, i) => sum + next.unread_count - reconciled[i]!.unread_count, 0)
  const further = page.page >= inbox.page
  return {
    loaded: true,
    conversations: [...rest, ...reconciled].sort(newestFirst),
    unreadTotal: Math.max(0, page.summary.unread_total - forgotten),
    page: Math.max(inbox.page, page.page),
    hasMore: further ? page.has_more : inbox.hasMore,
  }
}

export function withUpdate(inbox: Inbox, { conversation, summary }: ConversationUpdated, me: number): Inbox {
  const next = reconcile(find(inbox, conversation.id), conversation, me)
  return {
    ...replace(inbox, next),
    unreadTotal: Math.max(0, summary.unread_total - conversation.unread_count + next.unread_count),
  }
}

// withMessage shows a message as the last one of its conversation, if it is.
export function withMessage(inbox: Inbox, m: Message): Inbox {
  const known = find(inbox, m.conversation_id)
  if (!known || (known.last_message?.id ?? 0) > m.id) return inbox
  return replace(inbox, { ...known, last_message: m, last_message_at: m.created_at })
}

// withUnread takes the counts of an answer.
export function withUnread(inbox: Inbox, id: number, unread: number, total?: number): Inbox {
  const known = find(inbox, id)
  if (!known) return total === undefined ? inbox : { ...inbox, unreadTotal: total }
  const counted = total ?? Math.max(0, inbox.unreadTotal - known.unread_count + unread)
  return { ...replace(inbox, { ...known, unread_count: unread }), unreadTotal: counted }
}

export function withMarker(inbox: Inbox, marker: ReadMarker): Inbox {
  const known = find(inbox, marker.conversation_id)
  if (!known?.participants) return inbox
  const participants = known.participants.map(p => p.id === marker.user_id ? further(p, marker) : p)
  return replace(inbox, { ...known, participants })
}

export function withConversation(inbox: Inbox, next: Conversation): Inbox {
  return replace(inbox, next)
}

export function find(inbox: Inbox, id: number): Conversation | undefined {
  return inbox.conversations.find(conversation => conversation.id === id)
}

function replace(inbox: Inbox, next: Conversation): Inbox {
  const rest = inbox.conversations.filter(({ id }) => id !== next.id)
  return { ...inbox, conversations: [...rest, next].sort(newestFirst) }
}

function newestFirst(a: Conversation, b: Conversation): number {
  return Date.parse(b.last_message_at ?? b.created_at) - Date.parse(a.last_message_at ?? a.created_at) || b.id - a.id
}

// reconcile takes a conversation as it was told, which may be older than what is known: events of different jobs
// overtake each other, and the answer to reading overtakes the event that counted what is now read.
function reconcile(known: Conversation | undefined, next: Conversation, me: number): Conversation {
  if (!known) return next
  const participants = mergeParticipants(known.participants, next.participants)
  const isStale = (known.last_message?.id ?? 0) > (next.last_message?.id ?? 0)
  const newest = isStale ? known : next
  const last = newest.last_message
  const read = participants?.find(({ id }) => id === me)?.last_read_message_id ?? 0
  const unread = last && read >= last.id ? 0 : newest.unread_count
  return {
    ...next, participants, unread_count: unread, last_message_at: newest.last_message_at,
    last_message: last?.truncated && known.last_message?.id === last.id && known.last_message.edited_at === last.edited_at
      ? known.last_message : last,
  }
}

function mergeParticipants(known: Participant[] | null, next: Participant[] | null): Participant[] | null {
  if (!next || !known) return next ?? known
  return next.map(p => {
    const before = known.find(({ id }) => id === p.id)
    return before ? further(p, before) : p
  })
}

// further moves a marker, but never back.
function further(p: Participant, m: Pick<Participant, 'last_read_message_id' | 'last_read_at'>): Participant {
  if (m.last_read_message_id <= p.last_read_message_id) return p
  return { ...p, last_read_message_id: m.last_read_message_id, last_read_at: m.last_read_at }
}

// titleOf is what a conversation is called for one of its participants.
export function titleOf(c: Conversation, me: number): string {
  if (c.title) return c.title
  const others = (c.participants ?? []).filter(({ id }) => id !== me)
  if (others.length === 0) return 'Just you'
  return others.length === 1 ? others[0]!.name : others.map(({ name }) => name.split(' ')[0]).join(', ')
}

// otherOf is the other one in a direct conversation.
export function otherOf(c: Conversation, me: number): Participant | undefined {
  return c.type === 'direct' ? c.participants?.find(({ id }) => id !== me) : undefined
}
