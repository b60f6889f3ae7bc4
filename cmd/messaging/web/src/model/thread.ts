// A conversation as far as it is known: what was loaded, what came live, and from where to ask for the rest.

import type { Delta, Message, ReadMarker, View } from '../api/types.ts'
import { type Entry, fromMessage, merge } from './entries.ts'

export interface Marker {
  messageID: number
  at: string | null
}

export interface Thread {
  id: number
  loaded: boolean
  entries: Entry[]
  hasOlder: boolean
  // cursor is the id up to which every message came by HTTP. Live events do not move it: one of them may have
  // been missed before the next arrived, and delta has to be asked from before the gap.
  cursor: number
  changeCursor: number
  markers: Readonly<Record<number, Marker>> // by user
  readAtOpening: number // the user's own marker then
  firstUnread: number | null // where "New" is shown, as it was when the conversation was opened
}

export function newThread(id: number): Thread {
  return { id, loaded: false, entries: [], hasOlder: false, cursor: 0, changeCursor: 0, markers: {}, readAtOpening: 0, firstUnread: null }
}

// withView starts over from the newest messages and keeps only what is still to be sent and the markers.
export function withView(t: Thread, view: View, me: number): Thread {
  const newest = view.messages.at(-1)?.id ?? 0
  const kept = t.entries.filter(entry => entry.id === null || entry.id > newest)
  const entries = merge(view.messages.map(fromMessage), kept)
  const markers = view.participants.reduce((all, p) => forward(all, {
    conversation_id: t.id, user_id: p.id, last_read_message_id: p.last_read_message_id, last_read_at: p.last_read_at,
  }), t.markers)
  return withNewMark({
    ...t, entries, markers, loaded: true, hasOlder: view.has_more, cursor: newest, changeCursor: view.change_cursor,
  }, me)
}

export function withOlder(t: Thread, view: View, me: number): Thread {
  const entries = merge(t.entries, view.messages.map(fromMessage))
  const first = t.firstUnread === null ? null : firstUnread(entries, t.readAtOpening, me)
  return { ...t, entries, hasOlder: view.has_more, firstUnread: first }
}

// withNewMark shows "New" before what is not read yet, for who comes back to the page after a while.
export function withNewMark(t: Thread, me: number): Thread {
  const read = t.markers[me]?.messageID ?? 0
  return { ...t, readAtOpening: read, firstUnread: firstUnread(t.entries, read, me) }
}

export function withDelta(t: Thread, delta: Delta): Thread {
  const changed = delta.changed.filter(m => isInWindow(t, m.id))
  return {
    ...t,
    entries: merge(t.entries, [...delta.messages, ...changed].map(fromMessage)),
    markers: delta.read_markers.reduce(forward, t.markers),
    cursor: Math.max(t.cursor, delta.next_after_message_id),
    changeCursor: Math.max(t.changeCursor, delta.change_cursor),
  }
}

// withMessage takes an event, or the answer to something the user did.
export function withMessage(t: Thread, m: Message): Thread {
  return isInWindow(t, m.id) ? { ...t, entries: merge(t.entries, [fromMessage(m)]) } : t
}

export function withEntry(t: Thread, entry: Entry): Thread {
  return { ...t, entries: merge(t.entries, [entry]) }
}

export function withoutEntry(t: Thread, key: string): Thread {
  return { ...t, entries: t.entries.filter(entry => entry.key !== key) }
}

export function withMarker(t: Thread, marker: ReadMarker): Thread {
  return { ...t, markers: forward(t.markers, marker) }
}

// A message above those that were loaded is left out, or there would be a hole below it.
function isInWindow(t: Thread, id: number): boolean {
  const oldest = t.entries[0]?.id
  return !t.hasOlder || oldest == null || id >= oldest
}

type Markers = Thread['markers']

// A marker only moves forward, whatever order it is told in.
function forward(markers: Markers, m: ReadMarker): Markers {
  if ((markers[m.user_id]?.messageID ?? -1) >= m.last_read_message_id) return markers
  return { ...markers, [m.user_id]: { messageID: m.last_read_message_id, at: m.last_read_at } }
}

function firstUnread(entries: Entry[], read: number, me: number): number | null {
  return entries.find(({ id, sender }) => id !== null && id > read && sender.id !== me)?.id ?? null
}

// newestOfOthers is the id to be marked as read, or 0.
export function newestOfOthers(t: Thread, me: number): number {
  return t.entries.findLast(({ id, sender }) => id !== null && sender.id !== me)?.id ?? 0
}

export interface Receipt {
  userID: number
  at: string | null
}

// receipts says under which of the user's own messages each of the others is to be shown as its reader: under the last
// one they have read.
export function receipts(t: Thread, me: number): Map<number, Receipt[]> {
  const own = t.entries.filter(entry => entry.id !== null && entry.sender.id === me && !entry.deletedAt)
  const shown = new Map<number, Receipt[]>()
  for (const [user, marker] of Object.entries(t.markers)) {
    if (Number(user) === me) continue
    const last = own.findLast(entry => entry.id! <= marker.messageID)?.id
    if (last) shown.set(last, [...shown.get(last) ?? [], { userID: Number(user), at: marker.at }])
  }
  return shown
}

// readUpTo is the last message that any of the others has read, or 0.
export function readUpTo(t: Thread, me: number): number {
  return Math.max(0, ...Object.entries(t.markers).filter(([user]) => Number(user) !== me).map(([, { messageID }]) => messageID))
}
