// Who is writing.

import type { User } from '../api/types.ts'

export interface Typist {
  user: User
  until: number // on this computer's clock
}

// LASTS is how long somebody is taken to be writing after they said so, a little longer than the app's own 6 s. The
// app's expires_at is not used: the reader's clock may be wrong by more than that.
export const LASTS = 6500

// REPEAT is how often a page says that its user is still writing.
export const REPEAT = 3000

export function started(list: readonly Typist[], user: User, now: number): Typist[] {
  return [...stopped(list, user.id), { user, until: now + LASTS }]
}

export function stopped(list: readonly Typist[], user: number): Typist[] {
  return list.filter(typist => typist.user.id !== user)
}

export function current(list: readonly Typist[], now: number): Typist[] {
  return list.filter(({ until }) => until > now)
}
