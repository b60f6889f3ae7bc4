import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Conversation } from '../src/api/types.ts'
import { emptyInbox, find, titleOf, withMarker, withMessage, withPage, withUnread, withUpdate } from '../src/model/inbox.ts'
import { ann, at, bob, conversation, message, participant } from './make.ts'

const page = (conversations: Conversation[], total: number, n = 1, more = false) =>
  ({ conversations, page: n, has_more: more, summary: { unread_total: total } })
const ids = (inbox: { conversations: Conversation[] }) => inbox.conversations.map(({ id }) => id)
const loaded = (...conversations: Conversation[]) =>
  withPage(emptyInbox, page(conversations, conversations.reduce((sum, c) => sum + c.unread_count, 0)), ann.id)

test('conversations are listed by their last message', () => {
  let inbox = loaded(conversation(1, 10), conversation(2, 20), conversation(3, 0))
  assert.deepEqual(ids(inbox), [2, 1, 3])
  inbox = withMessage(inbox, message(30, { conversation_id: 1 }))
  assert.deepEqual(ids(inbox), [1, 2, 3])
})

test('further pages are added, and the first brings the list up to date', () => {
  let inbox = withPage(emptyInbox, page([conversation(1, 30)], 0, 1, true), ann.id)
  inbox = withPage(inbox, page([conversation(2, 20)], 0, 2, false), ann.id)
  inbox = withPage(inbox, page([conversation(3, 40), conversation(1, 30)], 5, 1, true), ann.id)
  assert.deepEqual([ids(inbox), inbox.hasMore, inbox.page, inbox.unreadTotal], [[3, 1, 2], false, 2, 5])
})

test('an update brings a conversation up, with its counts', () => {
  const inbox = withUpdate(loaded(conversation(1, 10), conversation(2, 20)),
    { conversation: conversation(1, 30, { unread_count: 2 }), summary: { unread_total: 2 } }, ann.id)
  assert.deepEqual([ids(inbox), find(inbox, 1)!.unread_count, inbox.unreadTotal], [[1, 2], 2, 2])
})

test('an update that was overtaken by a later one changes nothing back', () => {
  let inbox = loaded(conversation(1, 10))
  inbox = withUpdate(inbox, { conversation: conversation(1, 30, { unread_count: 2 }), summary: { unread_total: 2 } }, ann.id)
  inbox = withUpdate(inbox, { conversation: conversation(1, 20, { unread_count: 1 }), summary: { unread_total: 1 } }, ann.id)
  assert.deepEqual([find(inbox, 1)!.last_message!.id, find(inbox, 1)!.unread_count, inbox.unreadTotal], [30, 2, 2])
})

test('an update that was counted before the reading leaves no badge behind', () => {
  let inbox = loaded(conversation(1, 10, { unread_count: 1 }), conversation(2, 5, { unread_count: 3 }))
  inbox = withMarker(inbox, { conversation_id: 1, user_id: ann.id, last_read_message_id: 10, last_read_at: at(11) })
  inbox = withUnread(inbox, 1, 0, 3)
  inbox = withUpdate(inbox, { conversation: conversation(1, 10, { unread_count: 1 }), summary: { unread_total: 4 } }, ann.id)
  assert.deepEqual([find(inbox, 1)!.unread_count, inbox.unreadTotal], [0, 3])
})

test('an update without participants keeps those that are known', () => {
  const inbox = withUpdate(loaded(conversation(1, 10)),
    { conversation: conversation(1, 11, { participants: null }), summary: { unread_total: 0 } }, ann.id)
  assert.equal(titleOf(find(inbox, 1)!, ann.id), 'Bob')
})

test('a conversation is called by its title or by the others in it', () => {
  const zoe = { id: 3, name: 'Zoë May', username: 'zoe', avatar_url: '' }
  const group = [participant(ann), participant(bob), participant(zoe)]
  assert.equal(titleOf(conversation(1, 0, { title: 'Trip' }), ann.id), 'Trip')
  assert.equal(titleOf(conversation(1, 0), bob.id), 'Ann Lee')
  assert.equal(titleOf(conversation(1, 0, { type: 'group', participants: group }), ann.id), 'Bob, Zoë')
})
