import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Delta, View } from '../src/api/types.ts'
import { fromDraft } from '../src/model/entries.ts'
import { newThread, newestOfOthers, receipts, withDelta, withEntry, withMarker, withMessage, withOlder, withView } from '../src/model/thread.ts'
import { ann, at, bob, conversation, message, participant } from './make.ts'

const view = (ids: number[], over: Partial<View> = {}): View => ({
  conversation: conversation(7, ids.at(-1) ?? 0), messages: ids.map(id => message(id, { sender: bob })),
  participants: [participant(ann, 4), participant(bob, 2)], has_more: false, change_cursor: 3, summary: { unread_total: 0 }, ...over,
})
const delta = (over: Partial<Delta>): Delta => ({
  messages: [], changed: [], read_markers: [], has_more: false, next_after_message_id: 0, has_more_changes: false, change_cursor: 0,
  unread_count: 0, ...over,
})
const ids = (t: { entries: { id: number | null }[] }) => t.entries.map(entry => entry.id)

test('a live event does not move the place from which delta is asked', () => {
  let t = withView(newThread(7), view([1, 2, 3]), ann.id)
  t = withMessage(t, message(5))
  assert.equal(t.cursor, 3)
  t = withDelta(t, delta({ messages: [message(4), message(5)], next_after_message_id: 5, change_cursor: 9 }))
  assert.deepEqual([ids(t), t.cursor, t.changeCursor], [[1, 2, 3, 4, 5], 5, 9])
})

test('what belongs above the loaded messages is left out until it is loaded', () => {
  let t = withView(newThread(7), view([10, 11], { has_more: true }), ann.id)
  t = withMessage(t, message(5, { edited_at: at(99) }))
  t = withDelta(t, delta({ changed: [message(6, { deleted_at: at(99) })] }))
  assert.deepEqual(ids(t), [10, 11])
  t = withOlder(t, view([8, 9]), ann.id)
  assert.deepEqual([ids(t), t.hasOlder], [[8, 9, 10, 11], false])
})

test('loading anew keeps what is still to be sent and what came meanwhile', () => {
  let t = withEntry(newThread(7), fromDraft({ uuid: 'x', clientTempID: 't', body: '', createdAt: at(1) }, ann))
  t = withMessage(t, message(4))
  t = withView(t, view([2, 3]), ann.id)
  assert.deepEqual(ids(t), [2, 3, 4, null])
})

test('the new messages begin after the marker', () => {
  assert.equal(withView(newThread(7), view([3, 4, 5, 6]), ann.id).firstUnread, 5)
  assert.equal(withView(newThread(7), view([3, 4]), ann.id).firstUnread, null)
  const t = withView(newThread(7), view([6, 7], { has_more: true }), ann.id)
  assert.deepEqual([t.firstUnread, withOlder(t, view([4, 5]), ann.id).firstUnread], [6, 5])
})

test('markers only move forward', () => {
  const marker = (id: number) => ({ conversation_id: 7, user_id: bob.id, last_read_message_id: id, last_read_at: at(id) })
  let t = withView(newThread(7), view([1]), ann.id)
  for (const id of [5, 3, 5]) t = withMarker(t, marker(id))
  assert.deepEqual(t.markers[bob.id], { messageID: 5, at: at(5) })
})

test('a reader is shown under the last message of mine that they have read', () => {
  const messages = [message(1), message(2), message(3, { sender: bob }), message(4)]
  const t = withView(newThread(7), view([], { messages, participants: [participant(ann, 4), participant(bob, 3)] }), ann.id)
  assert.deepEqual([...receipts(t, ann.id)], [[2, [{ userID: bob.id, at: at(3) }]]])
  assert.equal(newestOfOthers(t, ann.id), 3)
})
