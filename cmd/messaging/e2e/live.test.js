// What two and three people see of each other.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enter, held, limit, message, Program, send, unread, unreadTotal, until, visit, write } from './people.js'

const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map(Program.signIn))

test('what one sends the other sees, and who reads it is seen by who sent it', limit, async t => {
  const room = await alice.start([bob], 'Send and see')
  const [a, b] = [await visit(t, 'alice'), await visit(t, 'bob')]
  await enter(a, room)
  await send(a, 'Are you there?')
  await message(a, 'Are you there?').locator('.tick.sent').waitFor()
  assert.equal(await a.locator('.tick.read').count(), 0)

  await enter(b, room)
  await message(b, 'Are you there?').waitFor()
  await message(a, 'Are you there?').locator('.tick.read').waitFor()
  await a.getByText('Read by Bob').waitFor()

  await send(b, 'Yes, <b>here</b> & now')
  await message(a, 'Yes, <b>here</b> & now').waitFor()
  await message(b, 'Yes, <b>here</b> & now').locator('.tick.read').waitFor()
  assert.deepEqual(await held(a), await held(b))
})

test('who is writing is shown until they stop or send', limit, async t => {
  const room = await alice.start([bob, carol], 'Typing')
  const [a, b, c] = [await visit(t, 'alice'), await visit(t, 'bob'), await visit(t, 'carol')]
  for (const page of [a, b, c]) await enter(page, room)
  const line = a.locator('.typing')

  await write(b, 'I thi')
  await line.getByText(`${bob.user.name} is typing`).waitFor()
  await write(c, 'So do')
  await line.getByText(`${bob.user.name} and ${carol.user.name} are typing`).waitFor()
  await write(c, '')
  await line.getByText(`${bob.user.name} is typing`).waitFor()
  assert.equal(await b.locator('.typing').textContent(), '')

  await send(b, 'I think so')
  await message(a, 'I think so').waitFor()
  await until('nobody is shown as typing', async () => await line.textContent() === '')
})

test('who is looking at a conversation is counted in its header', limit, async t => {
  const room = await alice.start([bob, carol], 'Viewing')
  const [a, b, c] = [await visit(t, 'alice'), await visit(t, 'bob'), await visit(t, 'carol')]
  const counts = n => a.locator(`[data-viewing="${n}"]`).waitFor()
  await enter(a, room)
  await counts(1)
  await enter(b, room)
  await counts(2)
  await enter(c, room)
  await counts(3)
  await a.getByText('3 viewing').waitFor()

  await b.keyboard.press('Escape')
  await counts(2)
  await c.close()
  await counts(1)
})

test('who is there has a dot', limit, async t => {
  const room = await alice.start([bob])
  const a = await visit(t, 'alice')
  const dot = a.locator(`[data-conversation="${room.id}"]`).getByLabel('online')
  await dot.waitFor({ state: 'detached' })
  const b = await visit(t, 'bob')
  await dot.waitFor()
  await enter(a, room)
  await a.locator('.thread-title').getByText('Online').waitFor()
  await b.close()
  await dot.waitFor({ state: 'detached' })
})

test('what is unread is counted for each conversation and for all', limit, async t => {
  const [one, two] = [await bob.start([alice], 'Unread one'), await bob.start([alice], 'Unread two')]
  const a = await visit(t, 'alice')
  await a.locator(`[data-conversation="${two.id}"]`).waitFor()
  const before = await unreadTotal(a)
  const total = n => until(`${n} more are unread`, async () => await unreadTotal(a) === before + n)

  for (const body of ['one', 'two', 'three']) await bob.say(one, body)
  await bob.say(two, 'four')
  await unread(a, one, 3).waitFor()
  await unread(a, two, 1).waitFor()
  await total(4)
  await until('the title says so', async () => (await a.title()).startsWith(`(${before + 4})`))

  await enter(a, one)
  await unread(a, one, 3).waitFor({ state: 'detached' })
  await total(1)
  await a.locator('.new').waitFor()
  await enter(a, two)
  await total(0)

  await a.reload()
  await a.locator(`[data-conversation="${two.id}"]`).waitFor()
  assert.equal(await unreadTotal(a), before)
})

test('who looks away neither reads nor views until they look again', limit, async t => {
  const room = await alice.start([bob], 'Looking away')
  const [a, b] = [await visit(t, 'alice'), await visit(t, 'bob')]
  for (const page of [a, b]) await enter(page, room)
  await a.locator('[data-viewing="2"]').waitFor()
  await look(b, 'hidden')
  await a.locator('[data-viewing="1"]').waitFor()
  await send(a, 'while you were away')
  await unread(b, room, 1).waitFor()
  await message(b, 'while you were away').waitFor({ state: 'attached' })
  assert.equal(await a.locator('.tick.read').count(), 0)

  await look(b, 'visible')
  await unread(b, room, 1).waitFor({ state: 'detached' })
  await b.locator('.new').waitFor()
  await a.locator('.tick.read').waitFor()
  await a.locator('[data-viewing="2"]').waitFor()
})

// look has a page believe that it is before somebody's eyes, or behind something.
function look(page, state) {
  return page.evaluate(value => {
    Object.defineProperty(document, 'visibilityState', { value, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, state)
}

test('two windows of one person show the same', limit, async t => {
  const room = await bob.start([alice], 'Two windows')
  const [one, two] = [await visit(t, 'alice'), await visit(t, 'alice')]
  await bob.say(room, 'for both')
  for (const page of [one, two]) await unread(page, room, 1).waitFor()
  await enter(one, room)
  await unread(two, room, 1).waitFor({ state: 'detached' })
  await until('the totals are the same', async () => await unreadTotal(one) === await unreadTotal(two))

  await enter(two, room)
  await send(one, 'from the first')
  await message(two, 'from the first').waitFor()
  await one.locator('[data-viewing="1"]').waitFor()
  assert.deepEqual(await held(one), await held(two))
})

test('a message can be edited and deleted by who sent it, and everybody sees', limit, async t => {
  const room = await alice.start([bob], 'Second thoughts')
  const [a, b] = [await visit(t, 'alice'), await visit(t, 'bob')]
  for (const page of [a, b]) await enter(page, room)
  await send(a, 'helo')
  await message(a, 'helo').and(a.locator('[data-state="stored"]')).waitFor()
  await message(b, 'helo').waitFor()
  assert.equal(await b.getByRole('button', { name: 'Message options' }).count(), 0)

  await a.locator('.composer textarea').press('ArrowUp')
  await a.getByLabel('Edit message').fill('hello')
  await a.getByLabel('Edit message').press('Enter')
  await message(b, 'hello').getByText('edited').waitFor()

  await message(a, 'hello').hover()
  await a.getByRole('button', { name: 'Message options' }).click()
  await a.getByRole('menuitem', { name: 'Delete' }).click()
  await a.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  for (const page of [a, b]) await page.getByText('This message was deleted').waitFor()
})

test('a send button that is clicked twice sends once', limit, async t => {
  const room = await alice.start([bob], 'Twice')
  const a = await visit(t, 'alice')
  await enter(a, room)
  await write(a, 'only once')
  await a.getByRole('button', { name: 'Send' }).dblclick({ noWaitAfter: true })
  await write(a, 'and once more')
  await a.evaluate(() => {
    const form = document.querySelector('.composer')
    form.requestSubmit()
    form.requestSubmit()
  })
  await message(a, 'and once more').and(a.locator('[data-state="stored"]')).waitFor()
  const bodies = (await alice.messages(room)).map(({ body }) => body)
  assert.deepEqual(bodies, ['only once', 'and once more'])
  assert.equal((await held(a)).length, 2)
})

test('a message whose answer is lost is sent again and stored once', limit, async t => {
  const room = await alice.start([bob], 'Lost answers')
  const [a, b] = [await visit(t, 'alice'), await visit(t, 'bob')]
  for (const page of [a, b]) await enter(page, room)
  let lost = 0
  await a.route(`**/api/messages/${room.id}`, async route => {
    if (route.request().method() !== 'POST' || lost > 1) return route.continue()
    lost++
    await route.fetch()
    await route.abort()
  })
  await send(a, 'insistent')
  await message(a, 'insistent').and(a.locator('[data-state="stored"]')).waitFor()
  await message(b, 'insistent').waitFor()
  await until('it was sent three times', () => lost === 2)
  assert.equal((await alice.messages(room)).length, 1)
  assert.deepEqual(await held(a), await held(b))
})

test('what was not sent survives a reload of the page', limit, async t => {
  const room = await alice.start([bob], 'Reload')
  const a = await visit(t, 'alice')
  await enter(a, room)
  const pattern = `**/api/messages/${room.id}`
  await a.route(pattern, route => route.request().method() === 'POST' ? route.abort() : route.continue())
  await send(a, 'do not forget')
  await message(a, 'do not forget').and(a.locator('[data-state="waiting"]')).waitFor()
  await a.reload()
  await message(a, 'do not forget').waitFor()
  await a.unroute(pattern)
  await message(a, 'do not forget').and(a.locator('[data-state="stored"]')).waitFor()
  assert.equal((await alice.messages(room)).length, 1)
})

test('a message too long for an event arrives whole', limit, async t => {
  const room = await alice.start([bob], 'Long')
  const b = await visit(t, 'bob')
  await enter(b, room)
  await b.locator('[data-viewing]').waitFor()
  const body = 'ü'.repeat(4990) + ' the end.'
  await alice.say(room, body)
  // The text is looked for in the page itself: the failure of a locator would repeat it at length.
  await until('all of it is there', async () => await b.locator('.message .body').first().textContent() === body)
})

// longTalk is a conversation of 60 messages, all of which bob has read.
let talk
function longTalk() {
  return talk ??= (async () => {
    const room = await alice.start([bob], 'Long ago')
    const people = [alice, bob]
    for (let n = 1; n <= 60; n++) await people[n % 2].say(room, `number ${n}`)
    await bob.must('POST', `/api/messages/${room.id}/read`, { message_id: (await bob.messages(room)).at(-1).id })
    return room
  })()
}

// longTalkOn shows its end.
async function longTalkOn(page) {
  const room = await longTalk()
  await enter(page, room)
  await message(page, 'number 60').waitFor()
  assert.equal((await held(page)).length, 50)
  return room
}

test('older messages are loaded when they are scrolled to, and the reader stays where they are', limit, async t => {
  const b = await visit(t, 'bob')
  await longTalkOn(b)
  await b.getByRole('log').evaluate(list => { list.scrollTop = 0 })
  await message(b, 'number 1').waitFor({ state: 'attached' })
  const top = await message(b, 'number 11').evaluate(row => row.getBoundingClientRect().top)
  assert.ok(top > 0 && top < 400, `message 11 is at ${top}`)
  const ids = (await held(b)).map(({ id }) => id)
  assert.equal(ids.length, 60)
  assert.deepEqual(ids, ids.toSorted((x, y) => x - y))
})

test('what comes and what is read has nothing drawn again that looks as before', limit, async t => {
  const b = await visit(t, 'bob')
  const room = await longTalkOn(b)
  const before = (await bob.messages(room)).map(({ created_at: at }) => Date.parse(at))
  await b.locator('[data-viewing]').waitFor()
  await countDrawn(b)
  await alice.say(room, 'one more')
  await message(b, 'one more').waitFor()
  await until('it is read', async () => (await bob.must('GET', `/api/messages/${room.id}`)).conversation.unread_count === 0)
  await send(b, 'and an answer')
  await message(b, 'and an answer').and(b.locator('[data-state="stored"]')).waitFor()

  const drawn = await b.evaluate(() => window.drawn)
  assert.ok(drawn.length > 0)
  // The one that was last stands beside a new one now, and no longer has the receipt.
  const old = new Set(before.slice(0, -2))
  assert.deepEqual(drawn.filter(at => old.has(at)), [])
})

// countDrawn notes the time of every message that is drawn from now on: drawing one writes its time at length, which
// else is done only for the last message of a conversation in the list.
function countDrawn(page) {
  return page.evaluate(() => {
    window.drawn = []
    const { get } = Object.getOwnPropertyDescriptor(Intl.DateTimeFormat.prototype, 'format')
    Object.defineProperty(Intl.DateTimeFormat.prototype, 'format', {
      get() {
        const format = get.call(this)
        if (this.resolvedOptions().dateStyle !== 'full') return format
        return date => {
          window.drawn.push(Number(date))
          return format(date)
        }
      },
    })
  })
}

test('a conversation is started from the page, and a direct one is found again', limit, async t => {
  const direct = await alice.start([bob])
  const a = await visit(t, 'alice')
  const choose = async (...names) => {
    await a.keyboard.press('Alt+n')
    for (const name of names) {
      await a.getByLabel('Search people').fill(name)
      await a.locator('.person', { hasText: `@${name}` }).click()
    }
  }
  await choose('bob')
  await a.getByLabel('First message').fill('found again')
  await a.getByRole('button', { name: 'Start conversation' }).click()
  await message(a, 'found again').waitFor()
  assert.equal(new URL(a.url()).hash, `#/c/${direct.id}`)

  await choose('bob', 'carol')
  await a.getByLabel('Title').fill('Three of us')
  await a.getByRole('button', { name: 'Start group' }).click()
  await a.getByRole('heading', { name: 'Three of us' }).waitFor()
  await a.getByText('3 people').waitFor()
})

test('times are those of the reader', limit, async t => {
  const room = await alice.start([bob], 'Clocks', 'what time is it?')
  const [{ created_at: at }] = await alice.messages(room)
  for (const zone of ['Asia/Tokyo', 'America/New_York']) {
    const page = await visit(t, 'alice', { timezoneId: zone })
    await enter(page, room)
    const want = new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: zone })
    await message(page, 'what time is it?').getByText(want, { exact: true }).waitFor()
  }
})
