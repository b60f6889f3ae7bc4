import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Entry, fromDraft, fromMessage, merge } from '../src/model/entries.ts'
import { ann, at, bob, message } from './make.ts'

const draft = (n: number, uuid = `u${n}`) => fromDraft({ uuid, clientTempID: `t${n}`, body: `body ${n}`, createdAt: at(n) }, ann)
const stored = (id: number, over = {}) => fromMessage(message(id, over))
const ids = (entries: Entry[]) => entries.map(entry => entry.id ?? entry.clientTempID)

test('messages are ordered by id, those being sent come last in the order they were written', () => {
  const got = merge([draft(9), draft(8)], [stored(3), stored(1), stored(2)])
  assert.deepEqual(ids(got), [1, 2, 3, 't9', 't8'])
})

test('merging the same again changes nothing', () => {
  const once = merge([], [stored(1), stored(2, { client_temp_id: 't2' }), draft(3)])
  assert.deepEqual(merge(once, once), once)
})

const ways: [string, Partial<Parameters<typeof message>[1]>][] = [
  ['both names', { client_temp_id: 't5', uuid: 'u5' }],
  ['the client temp id alone', { client_temp_id: 't5', uuid: 'given by the server' }],
  ['the uuid alone', { client_temp_id: null, uuid: 'u5' }],
]
for (const [name, over] of ways) {
  test(`what was sent becomes the stored message by ${name}, whichever comes first`, () => {
    const [sending, arrived] = [draft(5), stored(40, over)]
    const want = { ...arrived, key: sending.key }
    assert.deepEqual(merge([sending], [arrived]), [want])
    assert.deepEqual(merge(merge([sending], [arrived]), [sending, arrived]), [want])
    assert.deepEqual(merge([arrived], [sending]).map(entry => entry.id), [40])
  })
}

test('the client temp ids of two senders do not meet', () => {
  const got = merge([draft(5)], [stored(40, { client_temp_id: 't5', uuid: 'x', sender: bob })])
  assert.deepEqual(ids(got), [40, 't5'])
})

test('two entries that turn out to be one become one', () => {
  const [byTempID, byUUID] = [draft(5, 'x'), stored(40, { uuid: 'y' })]
  const got = merge([byTempID, byUUID], [stored(40, { uuid: 'y', client_temp_id: 't5' })])
  assert.deepEqual(ids(got), [40])
})

test('an older state does not replace a newer one', () => {
  const first = stored(1)
  const edited = stored(1, { body: 'edited', edited_at: '2026-01-02T10:00:05.1Z' })
  const again = stored(1, { body: 'again', edited_at: '2026-01-02T10:00:05.12Z' })
  const deleted = stored(1, { body: '', deleted_at: at(6) })
  for (const [known, incoming, want] of [
    [first, edited, edited], [edited, first, edited], [edited, again, again], [again, edited, again],
    [again, deleted, deleted], [deleted, again, deleted],
  ] as const) {
    assert.equal(merge([known], [incoming])[0]!.body, want.body)
  }
})

test('a cut text does not replace the whole one, but the whole one replaces it', () => {
  const [whole, cut] = [stored(1, { body: 'all of it' }), stored(1, { body: 'all', truncated: true })]
  assert.equal(merge([whole], [cut])[0]!.body, 'all of it')
  assert.equal(merge([cut], [whole])[0]!.body, 'all of it')
})
