// Things to test with.

import type { Conversation, Message, Participant, User } from '../src/api/types.ts'

export const ann: User = { id: 1, name: 'Ann Lee', username: 'ann', avatar_url: '/a' }
export const bob: User = { id: 2, name: 'Bob', username: 'bob', avatar_url: '/b' }

export const at = (seconds: number) => new Date(Date.UTC(2026, 0, 2, 10) + seconds * 1000).toISOString()

export function message(id: number, over: Partial<Message> = {}): Message {
  const sender = over.sender ?? ann
  return {
    id, uuid: `u${id}`, conversation_id: 7, sender_id: sender.id, sender, body: `body ${id}`, client_temp_id: null,
    created_at: at(id), edited_at: null, deleted_at: null, ...over,
  }
}

export function participant(user: User, read = 0): Participant {
  return { ...user, role: 'member', last_read_message_id: read, last_read_at: read ? at(read) : null, online: false }
}

export function conversation(id: number, last: number, over: Partial<Conversation> = {}): Conversation {
  return {
    id, type: 'direct', title: null, created_by: 1, created_at: at(0), updated_at: at(0), last_message_at: last ? at(last) : null,
    last_message: last ? message(last, { conversation_id: id, sender: bob }) : null,
    participants: [participant(ann), participant(bob)], unread_count: 0, muted_at: null, ...over,
  }
}
