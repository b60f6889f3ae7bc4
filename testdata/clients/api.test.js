// The HTTP API as Pusher's own server library for Node uses it.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import Publisher from 'pusher'
import { publisher, startBackend } from './backend.js'
import { heard, newEcho, subscribed } from './clients.js'
import { Inbox, limit, until } from './wait.js'

let backend
before(async t => { backend = await startBackend(t) })

// get returns the decoded answer.
async function get(path, params = {}) {
  const response = await publisher.get({ path, params })
  return response.json()
}

// other is a publisher that differs from the right one in what is given.
function other(different) {
  const { appId, host, port, token } = publisher.config
  return new Publisher({ appId, host, port, key: token.key, secret: token.secret, ...different })
}

test('P:SIG-15 P:API-01 trigger reaches one channel and many', limit, async t => {
  const echo = await newEcho(t, backend, 'ann')
  const one = heard(await subscribed(echo.channel('one')), '.event')
  const two = heard(await subscribed(echo.channel('two')), '.event')

  const response = await publisher.trigger('one', 'event', { n: 1 })
  assert.equal(response.status, 200)
  assert.deepEqual(await response.json(), {})
  await publisher.trigger(['one', 'two'], 'event', { n: 2 })

  assert.deepEqual(await one.next(), { n: 1 })
  assert.deepEqual(await one.next(), { n: 2 })
  assert.deepEqual(await two.next(), { n: 2 })
})

test('P:SIG-15 P:EVT-05 P:EVT-06 trigger leaves out a socket, if it is there', limit, async t => {
  const anns = await newEcho(t, backend, 'ann')
  const bobs = await newEcho(t, backend, 'bob')
  const ann = heard(await subscribed(anns.channel('others')), '.event')
  const bob = heard(await subscribed(bobs.channel('others')), '.event')

  await publisher.trigger('others', 'event', 1, { socket_id: anns.socketId() })
  await publisher.trigger('others', 'event', 2, { socket_id: '1.1' })

  assert.equal(await bob.next(), 1)
  assert.equal(await bob.next(), 2)
  assert.equal(await ann.next(), 2)
})

test('P:SIG-15 P:API-09 P:API-10 trigger tells of the channels when asked', limit, async t => {
  const echo = await newEcho(t, backend, 'ann')
  await subscribed(echo.channel('informed'))
  await subscribed(echo.join('informed'))

  const response = await publisher.trigger(['informed', 'presence-informed'], 'event', 1, {
    info: 'subscription_count,user_count',
  })

  const { channels } = await response.json()
  assert.equal(channels.informed.subscription_count, 1)
  assert.equal(channels['presence-informed'].user_count, 1)
  assert.ok(!('user_count' in channels.informed), 'user_count of a public channel')
})

test('P:SIG-15 P:API-11 triggerBatch publishes every item', limit, async t => {
  const anns = await newEcho(t, backend, 'ann')
  const one = heard(await subscribed(anns.channel('batch-one')), '.event')
  const two = heard(await subscribed(anns.channel('batch-two')), '.event')

  const response = await publisher.triggerBatch([
    { channel: 'batch-one', name: 'event', data: { n: 1 } },
    { channel: 'batch-two', name: 'event', data: { n: 2 } },
    { channel: 'batch-one', name: 'event', data: { n: 3 }, socket_id: anns.socketId() },
    { channel: 'batch-one', name: 'event', data: { n: 4 } },
  ])

  assert.deepEqual(await response.json(), {})
  assert.deepEqual(await one.next(), { n: 1 })
  assert.deepEqual(await one.next(), { n: 4 })
  assert.deepEqual(await two.next(), { n: 2 })
})

test('P:SIG-15 P:API-12 triggerBatch tells of the channels in the order of the items', limit, async t => {
  const echo = await newEcho(t, backend, 'ann')
  await subscribed(echo.join('batch-info'))

  const response = await publisher.triggerBatch([
    { channel: 'nobody', name: 'event', data: 1 },
    { channel: 'presence-batch-info', name: 'event', data: 1, info: 'user_count' },
  ])

  assert.deepEqual(await response.json(), { batch: [{}, { user_count: 1 }] })
})

test('P:SIG-15 P:QRY-02 P:QRY-05 P:QRY-07 channels and users are listed', limit, async t => {
  const anns = await newEcho(t, backend, 'ann')
  const annsOther = await newEcho(t, backend, 'ann')
  const bobs = await newEcho(t, backend, 'bob')
  for (const echo of [anns, annsOther, bobs]) await subscribed(echo.join('listed'))
  await subscribed(anns.channel('listed'))

  const { channels } = await get('/channels')
  assert.ok('listed' in channels && 'presence-listed' in channels, `listed are ${Object.keys(channels)}`)

  const filtered = await get('/channels', { filter_by_prefix: 'presence-lis', info: 'user_count' })
  assert.deepEqual(filtered, { channels: { 'presence-listed': { user_count: 2 } } })

  const channel = await get('/channels/presence-listed', { info: 'user_count,subscription_count' })
  assert.equal(channel.occupied, true)
  assert.equal(channel.user_count, 2)

  const { users } = await get('/channels/presence-listed/users')
  assert.deepEqual(users.map(user => user.id).sort(), ['1', '2'])
})

test('P:QRY-04 P:QRY-08 a channel nobody has is vacant, and a public one has no users', limit, async t => {
  assert.deepEqual(await get('/channels/vacant'), { occupied: false })

  const echo = await newEcho(t, backend, 'ann')
  await subscribed(echo.channel('public'))
  await assert.rejects(get('/channels/public/users'), { name: 'PusherRequestError', status: 400 })
})

test('P:SIG-15 P:SGN-09 P:SGN-10 terminateUserConnections ends all connections of the user', limit, async t => {
  const anns = await newEcho(t, backend, 'ann')
  const bobTabs = [await newEcho(t, backend, 'bob'), await newEcho(t, backend, 'bob')]
  for (const echo of [anns, ...bobTabs]) await subscribed(echo.join('terminated'))
  const errors = bobTabs.map(echo => {
    const inbox = new Inbox('the reason of the end')
    echo.connector.pusher.connection.bind('error', inbox.put)
    return inbox
  })

  await publisher.terminateUserConnections('2')
  await publisher.terminateUserConnections('nobody')

  for (const inbox of errors) {
    assert.deepEqual((await inbox.next()).data, { code: 4009, message: 'You got disconnected by the app.' })
  }
  for (const echo of bobTabs) {
    await until('the client has given up', () => echo.connector.pusher.connection.state === 'disconnected')
  }
  assert.equal(anns.connectionStatus(), 'connected')
})

test('P:SIG-02 P:SIG-05 P:SIG-06 P:SIG-15 a wrong secret, key or app id is an error with its status', limit, async () => {
  for (const [different, status] of [
    [{ secret: 'wrong' }, 401],
    [{ key: 'wrong' }, 401],
    [{ appId: 'wrong' }, 404],
  ]) {
    const wrong = other(different)
    const error = { name: 'PusherRequestError', status }
    await assert.rejects(wrong.trigger('news', 'event', 1), error, JSON.stringify(different))
    await assert.rejects(wrong.get({ path: '/channels' }), error, JSON.stringify(different))
  }
})

test('P:API-18 many requests at once are all answered', limit, async () => {
  const responses = await Promise.all(Array.from({ length: 50 }, (_, i) => publisher.trigger('busy', 'event', i)))

  assert.ok(responses.every(response => response.status === 200))
})
