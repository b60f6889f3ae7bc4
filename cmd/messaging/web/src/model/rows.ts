// What stands in the list of messages: they themselves, the days between them, and where the new ones begin.

import type { Entry } from './entries.ts'
import { dayKey, type Place } from './format.ts'

export type Row =
  | { kind: 'day', key: string, at: string }
  | { kind: 'new', key: string }
  | { kind: 'message', key: string, entry: Entry, first: boolean, last: boolean } // of a group by one sender

// TOGETHER is how far apart the messages of a group may be.
const TOGETHER = 5 * 60_000

export function rows(entries: readonly Entry[], firstUnread: number | null, place: Place = {}): Row[] {
  const list: Row[] = []
  let previous: Entry | undefined
  for (const entry of entries) {
    const day = !previous || dayKey(previous.createdAt, place) !== dayKey(entry.createdAt, place)
    if (day) list.push({ kind: 'day', key: `day ${entry.key}`, at: entry.createdAt })
    const isNew = entry.id !== null && entry.id === firstUnread
    if (isNew) list.push({ kind: 'new', key: 'new' })
    const first = day || isNew || !previous || !areTogether(previous, entry)
    const before = list.at(-1)
    if (!first && before?.kind === 'message') before.last = false
    list.push({ kind: 'message', key: entry.key, entry, first, last: true })
    previous = entry
  }
  return list
}

function areTogether(a: Entry, b: Entry): boolean {
  return a.sender.id === b.sender.id && Date.parse(b.createdAt) - Date.parse(a.createdAt) < TOGETHER
}
