// The server dies while messages are sent.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RECONNECTING } from '../../../testdata/clients/wait.js'
import { connection, control, enter, guest, held, limit, message, parts, Program, send, tell, until, visit } from './people.js'

const TIMES = 10
// MESSAGES is how many each of the two writes each time. Sending again what was not answered counts as well, so that
// they come near the limit of 60 a minute; the tests that follow are of other people.
const MESSAGES = 5

// SETTLING is longer: a job that dies with its worker is begun again half a minute later.
const SETTLING = 2 * RECONNECTING

const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

test('after every death of the server both hold the same list, with nothing lost and nothing twice', { timeout: 720_000 }, async t => {
  if (!control) return t.skip('MESSAGING_CONTROL_URL is not set')
  const [alice, bob] = await Promise.all(['alice', 'bob'].map(Program.signIn))
  const room = await alice.start([bob], 'Reconnecting')
  const [a, b] = [await visit(t, 'alice'), await visit(t, 'bob')]
  for (const page of [a, b]) await enter(page, room)

  const want = []
  for (let time = 1; time <= TIMES; time++) {
    const talk = async (page, name) => {
      for (let n = 1; n <= MESSAGES; n++) {
        want.push(`${name} ${time}.${n}`)
        await send(page, `${name} ${time}.${n}`)
        await pause(Math.random() * 60)
      }
    }
    // The moment is what is tested, so it is left to chance. Who dies is everybody, then each by itself.
    const die = async () => {
      await pause(Math.random() * 700)
      await tell(`kill?part=${['', ...parts][time % (parts.length + 1)]}`)
      await pause(Math.random() * 300)
      await tell('start')
    }
    await Promise.all([talk(a, 'a'), talk(b, 'b'), die()])
    await settle(a, b, want.length, time)
    const stored = await everything(alice, room)
    const [first, second] = [await held(a), await held(b)]
    assert.deepEqual(first, second, `death ${time}`)
    assert.deepEqual(first, stored.map(({ id, uuid, client_temp_id }) => ({ id, uuid, client_temp_id })), `death ${time}`)
    for (const name of ['id', 'uuid', 'client_temp_id']) {
      assert.equal(new Set(first.map(row => row[name])).size, want.length, `${name} after death ${time}`)
    }
    assert.deepEqual(stored.map(({ body }) => body).sort(), want.toSorted())
  }
  inOrder(await everything(alice, room))
})

// settle waits until both are connected again and hold as many messages as were written, all of them stored.
async function settle(a, b, count, time) {
  for (const page of [a, b]) {
    await connection(page, 'connected', SETTLING)
    await until(`${count} messages after death ${time}`, async () => {
      return await page.locator('.message[data-state="stored"]').count() >= count
    }, SETTLING)
    assert.equal(await page.locator('.message').count(), count)
  }
}

async function everything(person, room) {
  const { messages, has_more: more } = await person.must('GET', `/api/messages/${room.id}/delta?after_message_id=0&limit=500`)
  assert.equal(more, false)
  return messages
}

// What one person wrote keeps its order.
function inOrder(stored) {
  for (const name of ['a', 'b']) {
    const numbers = stored.map(({ body }) => body.split(/[ .]/)).filter(([who]) => who === name).map(([, time, n]) => time * 1000 + Number(n))
    assert.deepEqual(numbers, numbers.toSorted((x, y) => x - y))
  }
}

test('a page whose socket is broken keeps trying, and does not begin to ask instead', limit, async t => {
  if (!parts.includes('websockets')) return t.skip('the websocket server is part of the app')
  const [carol, admin] = await Promise.all(['carol', 'admin'].map(Program.signIn))
  const room = await carol.start([admin], 'Without a socket')
  const b = await visit(t, 'admin')
  await enter(b, room)
  await b.locator('[data-viewing]').waitFor()
  await tell('kill?part=websockets')
  await b.getByText('The connection was lost. Reconnecting…').waitFor()

  const asked = []
  b.on('request', request => { if (request.method() === 'GET') asked.push(request.url()) })
  await carol.say(room, 'heard later')
  await send(b, 'sent at once')
  await message(b, 'sent at once').and(b.locator('[data-state="stored"]')).waitFor()
  await b.getByRole('button', { name: 'Try now' }).click()
  await b.getByText('The connection was lost. Reconnecting…').waitFor()
  assert.deepEqual(asked, [])
  assert.equal(await message(b, 'heard later').count(), 0)

  await tell('start')
  await message(b, 'heard later').waitFor({ timeout: RECONNECTING })
  assert.deepEqual((await held(b)).map(({ id }) => id), (await carol.messages(room)).map(({ id }) => id))
  assert.ok(asked.some(url => url.includes('/delta?')))
})

test('a page that is opened while the server is away says so and comes by itself', limit, async t => {
  if (!control) return t.skip('MESSAGING_CONTROL_URL is not set')
  const page = await guest(t)
  await page.getByLabel('User name').waitFor()
  await page.route('**/api/messages/config', route => route.abort())
  await page.reload()
  await page.getByText('The server cannot be reached').waitFor()
  await page.unroute('**/api/messages/config')
  await page.getByLabel('User name').waitFor()
})

test('while the server is away the page says so, and what is written is sent later', limit, async t => {
  if (!control) return t.skip('MESSAGING_CONTROL_URL is not set')
  const [carol, admin] = await Promise.all(['carol', 'admin'].map(Program.signIn))
  const room = await carol.start([admin], 'Away for a while')
  const [a, b] = [await visit(t, 'carol'), await visit(t, 'admin')]
  for (const page of [a, b]) await enter(page, room)
  await tell('kill')
  await a.getByText('The connection was lost. Reconnecting…').waitFor()
  await send(a, 'into the void')
  await message(a, 'into the void').getByText('Waiting for the server…').waitFor()
  await tell('start')
  for (const page of [a, b]) {
    await message(page, 'into the void').and(page.locator('[data-state="stored"]')).waitFor({ timeout: RECONNECTING })
    await connection(page, 'connected', RECONNECTING)
  }
  await b.locator('[data-viewing="2"]').waitFor()
})
