// Messages as the page shows them, and how one that comes by several ways stays one.

import type { Message, User } from '../api/types.ts'

// Entry is a message that is stored, or on its way to be.
export interface Entry {
  key: string // stays when a message that was being sent turns out to be stored
  id: number | null // null until stored
  uuid: string
  clientTempID: string | null
  sender: User
  body: string
  createdAt: string
  editedAt: string | null
  deletedAt: string | null
  truncated: boolean // the rest of the body has to be asked for
  state: 'stored' | 'sending' | 'waiting' | 'failed'
  problem: string // why it is waiting or failed
}

export function fromMessage(m: Message): Entry {
  return {
    key: m.client_temp_id ? tempKey(m.sender_id, m.client_temp_id) : m.uuid,
    id: m.id,
    uuid: m.uuid,
    clientTempID: m.client_temp_id,
    sender: m.sender,
    body: m.body,
    createdAt: m.created_at,
    editedAt: m.edited_at,
    deletedAt: m.deleted_at,
    truncated: m.truncated ?? false,
    state: 'stored',
    problem: '',
  }
}

export interface Draft {
  uuid: string
  clientTempID: string
  body: string
  createdAt: string
}

// fromDraft is the entry of something that is only now being sent.
export function fromDraft(d: Draft, sender: User): Entry {
  return {
    ...d, key: tempKey(sender.id, d.clientTempID), id: null, sender, editedAt: null, deletedAt: null, truncated: false,
    state: 'sending', problem: '',
  }
}

// A client temp id is unique only together with its sender.
const tempKey = (sender: number, tempID: string) => `${sender}:${tempID}`

// merge returns the entries with others added or brought up to date, in order. Whatever is merged twice, or comes
// by another way, changes nothing.
export function merge(entries: readonly Entry[], incoming: readonly Entry[]): Entry[] {
  const merged = new Index(entries)
  for (const entry of incoming) merged.put(entry)
  return merged.list().sort(inOrder)
}

// What is stored is ordered by id; what is not yet comes after it in the order it was written.
function inOrder(a: Entry, b: Entry): number {
  if (a.id !== null && b.id !== null) return a.id - b.id
  if (a.id === null && b.id === null) return 0 // sort keeps their order
  return a.id === null ? 1 : -1
}

// Index finds entries by any of their names.
class Index {
  #entries: (Entry | null)[] = []
  #places = new Map<string, number>()

  constructor(entries: readonly Entry[]) {
    for (const entry of entries) this.put(entry)
  }

  list(): Entry[] {
    return this.#entries.filter(entry => entry !== null)
  }

  put(entry: Entry): void {
    let latest = entry
    let place = this.#entries.length
    const all = names(entry)
    for (const found of this.#find(entry)) {
      const known = this.#entries[found]!
      latest = latestOf(known, latest)
      all.push(...names(known))
      this.#entries[found] = null
      place = Math.min(place, found)
    }
    this.#entries[place] = latest
    for (const name of all) this.#places.set(name, place)
  }

  #find(entry: Entry): Set<number> {
    const found = names(entry).map(name => this.#places.get(name))
    return new Set(found.filter(place => place !== undefined && this.#entries[place]) as number[])
  }
}

function names(entry: Entry): string[] {
  const list = [`uuid ${entry.uuid}`]
  if (entry.id !== null) list.push(`id ${entry.id}`)
  if (entry.clientTempID) list.push(`temp ${tempKey(entry.sender.id, entry.clientTempID)}`)
  return list
}

// latestOf chooses between two states of one message.
function latestOf(known: Entry, incoming: Entry): Entry {
  const latest = isOlder(incoming, known) ? known : incoming
  return latest.key === known.key ? latest : { ...latest, key: known.key }
}

function isOlder(a: Entry, b: Entry): boolean {
  if (a.id === null || b.id === null) return a.id === null && b.id !== null
  if (a.deletedAt || b.deletedAt) return !a.deletedAt
  const [edited, otherEdited] = [time(a.editedAt), time(b.editedAt)]
  return edited < otherEdited || (edited === otherEdited && a.truncated && !b.truncated)
}

// Times are not compared as texts: zeros at the end of their fractions are left out.
const time = (text: string | null) => text ? Date.parse(text) : 0
