// pusher-js without anything around it.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { publisher, startBackend, users } from './backend.js'
import { newPusher, startPusher } from './clients.js'
import { app } from './settings.js'
import { Inbox, limit } from './wait.js'

let backend
before(async t => { backend = await startBackend(t) })

function as(user) {
  return {
    channelAuthorization: {
      endpoint: `${backend}/broadcasting/auth`,
      headers: { Authorization: `Bearer ${user}` },
    },
  }
}

// subscribe waits for the answer. The channel keeps all its events in order, the answer included.
async function subscribe(pusher, name) {
  const channel = pusher.subscribe(name)
  channel.events = new Inbox(`an event on ${name}`)
  channel.bind_global((event, data) => channel.events.put({ event, data }))
  channel.answer = await channel.events.next()
  assert.equal(channel.answer.event, 'pusher:subscription_succeeded')
  return channel
}

test('P:CON-19 P:CON-02 pusher-js goes from connecting to connected', limit, async t => {
  const pusher = startPusher(t, app.key)
  const states = new Inbox('a change of state')
  pusher.connection.bind('state_change', ({ current }) => states.put(current))

  assert.equal(await states.next(), 'connected')
  assert.match(pusher.connection.socket_id, /^\d+\.\d+$/)
})

test('P:CON-07 pusher-js is told why a key is refused, and does not try again', limit, async t => {
  const pusher = startPusher(t, 'no-such-key')
  const errors = new Inbox('an error')
  const states = new Inbox('a change of state')
  pusher.connection.bind('error', errors.put)
  pusher.connection.bind('state_change', ({ current }) => states.put(current))

  const { error } = await errors.next()
  assert.deepEqual(error, { type: 'PusherError', data: { code: 4001, message: 'Application does not exist' } })
  assert.equal(await states.next(), 'disconnected')
})

test('P:LIV-01 a ping is answered', limit, async t => {
  const pusher = await newPusher(t)
  const messages = new Inbox('a message')
  pusher.connection.bind('message', messages.put)

  pusher.send_event('pusher:ping', {})

  assert.equal((await messages.next()).event, 'pusher:pong')
})

test('P:EVT-01 P:EVT-03 P:EVT-10 data arrives as it was published', limit, async t => {
  const pusher = await newPusher(t)
  const { events } = await subscribe(pusher, 'data')

  for (const data of [
    'plain text',
    { object: [1, 2.5, true, null, {}] },
    ['Zoë 🦊', '</script><!-- & \u2028', 'nul \u0000', 'back\\slash and "quotes"'],
    {},
  ]) {
    await publisher.trigger('data', 'event', data)
    assert.deepEqual(await events.next(), { event: 'event', data })
  }
})

test('P:EVT-07 an event for two channels is heard on both', limit, async t => {
  const pusher = await newPusher(t)
  const red = await subscribe(pusher, 'red')
  const blue = await subscribe(pusher, 'blue')

  await publisher.trigger(['red', 'blue'], 'event', 1)

  assert.deepEqual(await red.events.next(), { event: 'event', data: 1 })
  assert.deepEqual(await blue.events.next(), { event: 'event', data: 1 })
})

test('P:EVT-08 a hundred events arrive in the order they were published', limit, async t => {
  const pusher = await newPusher(t)
  const { events } = await subscribe(pusher, 'order')
  const numbers = Array.from({ length: 100 }, (_, i) => i)

  for (const number of numbers) await publisher.trigger('order', 'event', number)

  const got = []
  while (got.length < numbers.length) got.push((await events.next()).data)
  assert.deepEqual(got, numbers)
})

test('P:SUB-07 nothing is heard after unsubscribing', limit, async t => {
  const pusher = await newPusher(t)
  const left = await subscribe(pusher, 'left')
  const kept = await subscribe(pusher, 'kept')

  pusher.unsubscribe('left')
  // The answer to this subscription shows that the server has read what came before it.
  await subscribe(pusher, 'fence')
  await publisher.trigger(['left', 'kept'], 'event', 1)

  assert.deepEqual(await kept.events.next(), { event: 'event', data: 1 })
  assert.equal(left.events.size, 0)
})

test('P:CAC-01 P:CAC-02 P:CAC-03 a cache channel repeats its last event to who comes later', limit, async t => {
  const first = await subscribe(await newPusher(t), 'cache-weather')
  assert.equal((await first.events.next()).event, 'pusher:cache_miss')

  await publisher.trigger('cache-weather', 'forecast', 'rain')
  await publisher.trigger('cache-weather', 'forecast', 'sun')
  assert.deepEqual(await first.events.next(), { event: 'forecast', data: 'rain' })
  assert.deepEqual(await first.events.next(), { event: 'forecast', data: 'sun' })

  const second = await subscribe(await newPusher(t), 'cache-weather')
  assert.deepEqual(await second.events.next(), { event: 'forecast', data: 'sun' })
})

test('P:CAC-06 a presence cache channel sends its members, then the event', limit, async t => {
  await publisher.trigger('presence-cache-room', 'topic', 'tea')
  const early = await subscribe(await newPusher(t, as('ann')), 'presence-cache-room')
  assert.equal(early.members.count, 1)
  await publisher.trigger('presence-cache-room', 'topic', 'coffee')

  const late = await subscribe(await newPusher(t, as('bob')), 'presence-cache-room')

  assert.equal(late.answer.data.count, 2)
  assert.deepEqual(await late.events.next(), { event: 'topic', data: 'coffee' })
})

test('P:PRE-01 P:PRE-02 members knows me, the others and their number', limit, async t => {
  const ann = await subscribe(await newPusher(t, as('ann')), 'presence-members')
  const bob = await subscribe(await newPusher(t, as('bob')), 'presence-members')

  assert.deepEqual(await ann.events.next(), { event: 'pusher:member_added', data: { id: '2', info: users.bob } })
  for (const [channel, me] of [[ann, { id: '1', info: users.ann }], [bob, { id: '2', info: users.bob }]]) {
    assert.deepEqual(channel.members.me, me)
    assert.equal(channel.members.count, 2)
    assert.deepEqual(channel.members.members, { 1: users.ann, 2: users.bob })
  }
})

test('P:CLI-03 P:CLI-08 a client event carries its text and the true user', limit, async t => {
  const anns = await newPusher(t, as('ann'))
  await subscribe(anns, 'presence-forgery')
  const bob = await subscribe(await newPusher(t, as('bob')), 'presence-forgery')
  const heard = new Inbox('a client event')
  bob.bind('client-move', heard.putAll)

  // A string is what the Java client sends whatever it was given. Encoded once more it would be '"{…}"' here.
  anns.send_event('client-move', '{"x":1}', 'presence-forgery')
  assert.deepEqual(await heard.next(), [{ x: 1 }, { user_id: '1' }])

  const { transport } = anns.connection.connection
  transport.send('{"event":"client-move","channel":"presence-forgery","data":{"x":2},"user_id":"2"}')
  assert.deepEqual(await heard.next(), [{ x: 2 }, { user_id: '1' }])
})

test('P:FRM-01 P:FRM-02 nonsense is answered with an error, and the connection stays', limit, async t => {
  const pusher = await newPusher(t)
  const errors = new Inbox('an error')
  pusher.connection.bind('error', errors.put)
  const { transport } = pusher.connection.connection

  for (const nonsense of ['nonsense', '[]', '{}', '{"event":7}']) {
    transport.send(nonsense)
    assert.deepEqual((await errors.next()).data, { code: 4200, message: 'Invalid message format' })
  }

  await subscribe(pusher, 'still-there')
})
