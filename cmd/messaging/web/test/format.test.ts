import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoff } from '../src/model/backoff.ts'
import { fromMessage } from '../src/model/entries.ts'
import { badge, clock, count, dayLabel, initials, listNames, pageTitle, segments, shortTime, typingLine } from '../src/model/format.ts'
import { Outbox } from '../src/model/outbox.ts'
import { rows } from '../src/model/rows.ts'
import { LASTS, current, started, stopped } from '../src/model/typing.ts'
import { ann, at, bob, message } from './make.ts'

const tokyo = { locale: 'en-GB', timeZone: 'Asia/Tokyo' }
const newYork = { locale: 'en-GB', timeZone: 'America/New_York' }
const now = Date.parse('2026-03-10T03:30:00Z')

test('times are those of the reader', () => {
  assert.equal(clock('2026-03-10T03:05:00.5Z', tokyo), '12:05')
  assert.equal(clock('2026-03-10T03:05:00.5Z', newYork), '23:05')
  assert.equal(dayLabel('2026-03-09T14:00:00Z', now, tokyo), 'Yesterday')
  assert.equal(dayLabel('2026-03-09T14:00:00Z', now, newYork), 'Today')
  assert.equal(dayLabel('2026-02-01T14:00:00Z', now, tokyo), 'Sunday 1 February')
  assert.equal(dayLabel('2024-02-01T14:00:00Z', now, tokyo).replace(',', ''), 'Thursday 1 February 2024')
  assert.equal(shortTime('2026-03-09T15:00:00Z', now, tokyo), '00:00')
  assert.equal(shortTime('2026-03-07T15:00:00Z', now, tokyo), 'Sun')
  assert.equal(shortTime('2026-01-07T15:00:00Z', now, tokyo), '8 Jan')
})

test('names and numbers', () => {
  assert.deepEqual(['Ann Lee', 'bob', 'José de la Cruz', '🦊 Fox', ''].map(initials), ['AL', 'B', 'JC', '🦊F', ''])
  assert.equal(listNames(['A', 'B', 'C', 'D']), 'A, B and 2 others')
  assert.equal(typingLine([]), '')
  assert.equal(typingLine(['Ann']), 'Ann is typing')
  assert.equal(typingLine(['Ann', 'Bob']), 'Ann and Bob are typing')
  assert.deepEqual([badge(7), badge(100), pageTitle(0), pageTitle(3)], ['7', '99+', 'Messages', '(3) Messages'])
  assert.deepEqual([count(1, 'person', 'people'), count(2, 'message')], ['1 person', '2 messages'])
})

test('web addresses become links, and nothing else does', () => {
  assert.deepEqual(segments('see https://a.example/x?y=1, or (http://b.example).'), [
    { text: 'see ' }, { text: 'https://a.example/x?y=1', href: 'https://a.example/x?y=1' }, { text: ', or (' },
    { text: 'http://b.example', href: 'http://b.example' }, { text: ').' },
  ])
  assert.deepEqual(segments('javascript:alert(1) <b>'), [{ text: 'javascript:alert(1) <b>' }])
})

test('days and groups stand between the messages', () => {
  const list = [message(1), message(2), message(3, { sender: bob }), message(9, { sender: bob, created_at: at(90_000) })].map(fromMessage)
  const got = rows(list, 9, tokyo).map(row => row.kind === 'message' ? `${row.entry.id}${row.first ? ' first' : ''}${row.last ? ' last' : ''}` : row.kind)
  assert.deepEqual(got, ['day', '1 first', '2 last', '3 first last', 'day', 'new', '9 first last'])
})

test('who stops telling that they write is no longer writing', () => {
  let list = started([], ann, 1000)
  list = started(list, bob, 2000)
  list = started(list, ann, 3000)
  assert.deepEqual(current(list, 2000 + LASTS).map(({ user }) => user.name), ['Ann Lee'])
  assert.deepEqual(stopped(list, ann.id).map(({ user }) => user.name), ['Bob'])
})

test('waiting grows to a limit', () => {
  assert.deepEqual([0, 1, 2, 10].map(attempt => backoff(attempt, 1)), [500, 1000, 2000, 15_000])
  assert.equal(backoff(0, 0), 250)
})

test('what was not sent survives a reload', () => {
  const shelf = new Map<string, string>()
  const storage = {
    getItem: (key: string) => shelf.get(key) ?? null,
    setItem: (key: string, value: string) => { shelf.set(key, value) },
    removeItem: (key: string) => { shelf.delete(key) },
  }
  const unsent = (n: number) => ({ conversationID: 7, uuid: `u${n}`, clientTempID: `t${n}`, body: 'hi', createdAt: at(n) })
  const outbox = new Outbox(storage, 'unsent 1')
  outbox.add(unsent(1))
  outbox.add(unsent(2))
  outbox.remove('t1')
  assert.deepEqual(new Outbox(storage, 'unsent 1').list, [unsent(2)])
  outbox.remove('t2')
  assert.equal(shelf.size, 0)

  for (const broken of ['{', '{}', '[1, null, {"body": 2}]']) {
    shelf.set('unsent 1', broken)
    assert.deepEqual(new Outbox(storage, 'unsent 1').list, [])
  }
})
