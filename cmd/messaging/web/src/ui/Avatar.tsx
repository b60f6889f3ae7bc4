import { useState } from 'preact/hooks'
import type { Conversation } from '../api/types.ts'
import { initials } from '../model/format.ts'
import { otherOf } from '../model/inbox.ts'
import { Icon } from './Icon.tsx'

export interface Face {
  id: number
  name: string
  avatar_url: string
}

// The app's own picture of who has none has the same letters, but not the colour that the name has on the page.
const PLACEHOLDER = /^\/avatars\/[A-Z]{1,2}\.svg$/

// Avatar is a picture, or initials until there is one. It is decoration: the name stands beside it.
export function Avatar({ user, size = 'm', isOnline }: { user: Face, size?: 's' | 'm' | 'l', isOnline?: boolean }) {
  const [isBroken, setBroken] = useState(false)
  return (
    <span class={`avatar avatar-${size} hue-${user.id % 8}`}>
      <span aria-hidden="true">{initials(user.name)}</span>
      {user.avatar_url && !PLACEHOLDER.test(user.avatar_url) && !isBroken &&
        <img src={user.avatar_url} alt="" loading="lazy" onError={() => setBroken(true)} />}
      {isOnline && <span class="dot" role="img" aria-label="online" title="Online" />}
    </span>
  )
}

export function ConversationAvatar({ conversation, me, online }: { conversation: Conversation, me: number, online: ReadonlySet<number> }) {
  const other = otherOf(conversation, me)
  if (other) return <Avatar user={other} isOnline={online.has(other.id)} />
  return <span class={`avatar avatar-m avatar-group hue-${(conversation.id + 3) % 8}`}><Icon name="people" /></span>
}

export function Faces({ users, most = 4 }: { users: readonly Face[], most?: number }) {
  return (
    <span class="faces" aria-hidden="true">
      {users.slice(0, most).map(user => <Avatar key={user.id} user={user} size="s" />)}
    </span>
  )
}
