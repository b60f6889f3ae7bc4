// laravel-echo and pusher-js in a real browser, bundled and configured as the Laravel documentation says.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { publisher, startBackend, users } from './backend.js'
import { frame, launch, screenshot } from './browser.js'
import { CHANNELS, logged, pageFiles, shows, visitPage } from './page.js'
import { control } from './settings.js'
import { RECONNECTING, limit, restartLimit } from './wait.js'

let browser, files
before(async () => {
  files = await pageFiles()
  browser = await launch()
})
after(() => browser?.close())

const visit = (t, backend, user) => visitPage(t, browser, backend, user)

test('P:CON-19 P:ECH-01 P:ECH-02 P:ECH-04 two browsers see each other', limit, async t => {
  const backend = await startBackend(t, files)
  const ann = await visit(t, backend, 'ann')
  await shows(ann, 'status', 'connected')
  await shows(ann, 'here', users.ann.name)

  const bob = await visit(t, backend, 'bob')
  for (const page of [ann, bob]) {
    await shows(page, 'here', `${users.ann.name}, ${users.bob.name}`)
    await logged(page, 'private-forged: refused with 401')
  }

  await bob.close()
  await shows(ann, 'here', users.ann.name)
  assert.deepEqual(ann.mistakes, [])
})

test('P:ECH-07 P:EVT-03 P:EVT-04 public, private and encrypted events reach the browser', limit, async t => {
  const backend = await startBackend(t, files)
  const page = await visit(t, backend, 'zoe')
  const order = { text: 'Zoë 🦊 </script>' }

  for (const channel of CHANNELS) {
    await publisher.trigger(channel, 'App\\Events\\OrderShipped', order)
    await logged(page, `${channel}: order ${order.text}`)
  }

  const { data } = JSON.parse(await frame(page, 'OrderShipped'))
  assert.equal(data, JSON.stringify(order))
})

test('P:ECH-03 P:CLI-01 P:CLI-02 P:CLI-07 what is typed in one browser shows in the other', limit, async t => {
  const backend = await startBackend(t, files)
  const ann = await visit(t, backend, 'ann')
  const bob = await visit(t, backend, 'bob')

  await ann.getByLabel('Order').fill('tea')
  await shows(bob, 'typing', '1: tea')
  await bob.getByLabel('Order').fill('milk')
  await shows(ann, 'typing', '2: milk')

  const whisper = JSON.parse(await frame(bob, 'client-typing'))
  assert.deepEqual(whisper, {
    event: 'client-typing',
    channel: 'presence-room',
    data: '{"text":"tea"}',
    user_id: '1',
  })
})

test('P:ECH-06 P:EVT-05 the browser that ships an order is not told of it', limit, async t => {
  const backend = await startBackend(t, files)
  const ann = await visit(t, backend, 'ann')
  const bob = await visit(t, backend, 'bob')

  await ann.getByLabel('Order').fill('tea')
  await ann.getByRole('button', { name: 'Ship' }).click()
  await logged(ann, 'shipped tea')
  await logged(bob, 'private-orders: order tea')
  await publisher.trigger('private-orders', 'App\\Events\\OrderShipped', { text: 'fence' })
  await logged(ann, 'private-orders: order fence')

  assert.equal(await ann.getByText('private-orders: order tea').count(), 0)
})

test('P:SGN-01 P:SGN-07 P:SGN-09 P:SGN-11 who has signed in hears of the others, and can be sent to and ended', limit, async t => {
  const backend = await startBackend(t, files)
  const ann = await visit(t, backend, 'ann')
  const bob = await visit(t, backend, 'bob')
  await shows(ann, 'online', '2')
  await shows(bob, 'online', '1')

  await publisher.sendToUser('1', 'reminder', { text: 'tea' })
  await logged(ann, 'reminder tea')
  await publisher.sendToUser('2', 'reminder', { text: 'milk' })
  await logged(bob, 'reminder milk')
  assert.equal(await bob.getByText('reminder tea').count(), 0)

  await publisher.terminateUserConnections('2')
  await shows(bob, 'status', 'disconnected')
  await shows(ann, 'online', 'nobody')
  assert.deepEqual([...ann.mistakes, ...bob.mistakes], [])
})

test('P:CLS-04 P:SUB-11 both browsers are back after a restart of the server', restartLimit, async t => {
  if (!control) return t.skip('REVERB_CONTROL_URL is not set')
  const backend = await startBackend(t, files)
  const ann = await visit(t, backend, 'ann')
  const bob = await visit(t, backend, 'bob')
  const pages = [ann, bob]

  const restarted = await fetch(`${control}/restart`, { method: 'POST' })
  assert.equal(restarted.status, 200, await restarted.text())

  for (const page of pages) {
    for (const channel of CHANNELS) {
      await logged(page, `${channel}: subscribed`, { nth: 2, timeout: RECONNECTING })
    }
    await shows(page, 'here', `${users.ann.name}, ${users.bob.name}`)
  }
  await publisher.trigger('private-orders', 'App\\Events\\OrderShipped', { text: 'afterwards' })
  for (const page of pages) {
    await logged(page, 'private-orders: order afterwards')
    assert.deepEqual(page.mistakes, [])
  }
  await screenshot(ann, 'echo-after-restart')
})
