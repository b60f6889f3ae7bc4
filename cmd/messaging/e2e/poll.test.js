// With MESSAGING_REALTIME=false the page asks instead of listening.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enter, held, limit, message, Program, send, unread, until, visit, write } from './people.js'

const [alice, bob] = await Promise.all(['alice', 'bob'].map(Program.signIn))

test('without realtime everything comes by asking, and no socket is opened', limit, async t => {
  const [room, other] = [await alice.start([bob], 'Asking'), await alice.start([bob], 'Other')]
  const [a, b] = [await visit(t, 'alice', { live: 'polling' }), await visit(t, 'bob', { live: 'polling' })]
  let sockets = 0
  for (const page of [a, b]) page.on('websocket', () => sockets++)
  for (const page of [a, b]) {
    await page.reload()
    await enter(page, room)
  }

  await write(b, 'I am wri')
  await a.getByText(`${bob.user.name} is typing`).waitFor()
  await send(b, 'I am writing')
  await message(a, 'I am writing').waitFor()
  await message(b, 'I am writing').locator('.tick.read').waitFor()
  await until('nobody is shown as typing', async () => await a.locator('.typing').textContent() === '')

  await alice.say(other, 'elsewhere')
  await unread(b, other, 1).waitFor()
  const [sent] = await bob.messages(room)
  await bob.must('PATCH', `/api/messages/${room.id}/${sent.id}`, { body: 'I have written' })
  await message(a, 'I have written').waitFor()

  assert.deepEqual(await held(a), await held(b))
  assert.equal(sockets, 0)
})
