// What was written and is not known to be stored. It is kept with the tab, so that reloading the page in the middle
// of sending loses nothing; the client temp id makes sending it again harmless.

import type { Draft } from './entries.ts'

export interface Unsent extends Draft {
  conversationID: number
}

interface Shelf {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

export class Outbox {
  #list: Unsent[]

  constructor(private readonly shelf: Shelf, private readonly key: string) {
    this.#list = read(shelf, key)
  }

  get list(): readonly Unsent[] {
    return this.#list
  }

  add(unsent: Unsent): void {
    this.#keep([...this.#list, unsent])
  }

  remove(clientTempID: string): void {
    this.#keep(this.#list.filter(unsent => unsent.clientTempID !== clientTempID))
  }

  #keep(list: Unsent[]): void {
    this.#list = list
    try {
      if (list.length) this.shelf.setItem(this.key, JSON.stringify(list))
      else this.shelf.removeItem(this.key)
    } catch {
      // A full or forbidden storage only means that a reload would forget.
    }
  }
}

function read(shelf: Shelf, key: string): Unsent[] {
  try {
    const list: unknown = JSON.parse(shelf.getItem(key) ?? '[]')
    return Array.isArray(list) ? list.filter(isUnsent) : []
  } catch {
    return []
  }
}

function isUnsent(value: any): value is Unsent {
  return typeof value?.conversationID === 'number' && ['uuid', 'clientTempID', 'body', 'createdAt']
    .every(name => typeof value[name] === 'string')
}
