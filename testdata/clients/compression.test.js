// permessage-deflate with the clients that offer it: the library ws for Node, and Chromium, which always does.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import WebSocket from 'ws'
import { publisher, startBackend } from './backend.js'
import { frame, launch } from './browser.js'
import { logged, pageFiles, shows, visitPage } from './page.js'
import { app, metrics, server } from './settings.js'
import { Inbox, limit, until } from './wait.js'

const ANSWER = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'

// A text that is compressed, and one that is not, because it is short.
const long = { text: 'Zoë 🦊 '.repeat(500) }
const short = { text: 'Zoë 🦊' }

let browser
before(async () => { browser = await launch() })
after(() => browser?.close())

// metric returns a number of the server's.
async function metric(name) {
  const response = await fetch(`http://${metrics}/metrics`)
  const line = (await response.text()).split('\n').find(l => l.startsWith(`${name} `))
  return Number(line?.slice(name.length))
}

const compressed = () => metric('reverb_connections_compressed')
const saved = () => metric('reverb_compression_saved_bytes_total')

// connect returns a socket that has been greeted, with an inbox of what it hears.
async function connect(t, options) {
  const socket = new WebSocket(`ws://${server.host}:${server.port}/app/${app.key}?protocol=7`, options)
  t.after(() => socket.terminate())
  socket.heard = new Inbox('a message')
  socket.on('message', data => socket.heard.put(JSON.parse(data)))
  socket.on('error', error => socket.heard.put({ error: String(error) }))
  socket.on('upgrade', response => { socket.answer = response.headers['sec-websocket-extensions'] })
  assert.equal((await socket.heard.next()).event, 'pusher:connection_established')
  return socket
}

async function subscribe(socket, channel) {
  socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { channel } }))
  assert.equal((await socket.heard.next()).event, 'pusher_internal:subscription_succeeded')
}

// threshold 0 has ws compress whatever it sends.
for (const [name, perMessageDeflate, answer] of [
  ['compresses all', { threshold: 0 }, ANSWER],
  ['compresses what is long', true, ANSWER],
  ['asks for no context takeover', { serverNoContextTakeover: true, clientNoContextTakeover: true }, ANSWER],
  ['names windows', { serverMaxWindowBits: 15, clientMaxWindowBits: 10 }, `${ANSWER}; server_max_window_bits=15`],
  ['wants a small window', { serverMaxWindowBits: 10 }, undefined],
  ['does not compress', false, undefined],
]) {
  test(`a client of ws that ${name}`, limit, async t => {
    const before = await saved()
    const socket = await connect(t, { perMessageDeflate })
    const plain = await connect(t, { perMessageDeflate: false })
    assert.equal(socket.answer, answer)
    assert.equal(await compressed(), answer ? 1 : 0)

    for (const each of [socket, plain]) await subscribe(each, 'news')
    for (const order of [long, short, long]) {
      await publisher.trigger('news', 'order', order)
      for (const each of [socket, plain]) assert.equal((await each.heard.next()).data, JSON.stringify(order))
    }
    assert.equal(await saved() > before, Boolean(answer))

    socket.send(JSON.stringify({ event: 'pusher:ping', data: long }))
    assert.equal((await socket.heard.next()).event, 'pusher:pong')
    // A message of its own per fragment would be malformed.
    const ping = JSON.stringify({ event: 'pusher:ping', data: long })
    socket.send(ping.slice(0, 2000), { fin: false })
    socket.send(ping.slice(2000), { fin: true })
    assert.equal((await socket.heard.next()).event, 'pusher:pong')

    socket.close(1000)
    await until('the connection is gone', async () => await compressed() === 0)
  })
}

test('Chromium compresses, with pusher-js and Echo on top', limit, async t => {
  const backend = await startBackend(t, await pageFiles())
  const before = await saved()
  const ann = await visitPage(t, browser, backend, 'ann')
  const bob = await visitPage(t, browser, backend, 'bob')
  assert.equal(await compressed(), 2)

  for (const channel of ['orders', 'private-orders', 'presence-room']) {
    await publisher.trigger(channel, 'App\\Events\\OrderShipped', long)
    assert.equal(JSON.parse(await frame(ann, 'OrderShipped')).data, JSON.stringify(long))
    assert.equal(JSON.parse(await frame(bob, 'OrderShipped')).data, JSON.stringify(long))
  }
  assert.ok(await saved() > before)
  await publisher.trigger('orders', 'App\\Events\\OrderShipped', short)
  await logged(ann, `orders: order ${short.text}`)

  // What the browser says is compressed as well.
  await ann.getByLabel('Order').fill('tea')
  await shows(bob, 'typing', '1: tea')
  await bob.getByLabel('Order').fill('milk '.repeat(300).trim())
  await shows(ann, 'typing', `2: ${'milk '.repeat(300).trim()}`)
  assert.deepEqual([...ann.mistakes, ...bob.mistakes], [])
})
