// Signing in with pusher-js and Echo, and what users have of it. The app announces subscription counts, too.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { publisher, startBackend, users } from './backend.js'
import { newEcho, newPusher, subscribed } from './clients.js'
import { Inbox, limit, until } from './wait.js'

let backend
before(async t => { backend = await startBackend(t) })

const { ann, bob } = users

// signIn returns a client that is signed in and may be sent to, with inboxes for what its user hears.
async function signIn(t, name) {
  const headers = { Authorization: `Bearer ${name}` }
  const pusher = await newPusher(t, {
    userAuthentication: { endpoint: `${backend}/broadcasting/user-auth`, headers },
    channelAuthorization: { endpoint: `${backend}/broadcasting/auth`, headers },
  })
  pusher.heard = new Inbox(`an event for ${name}`)
  pusher.user.bind('reminder', pusher.heard.put)
  pusher.watched = new Inbox(`news of the watchlist of ${name}`)
  for (const state of ['online', 'offline']) pusher.user.watchlist.bind(state, pusher.watched.put)
  pusher.signin()
  await until(`${name} is signed in`, () => pusher.user.serverToUserChannel?.subscribed)
  return pusher
}

test('P:SGN-01 P:SGN-05 P:SGN-07 every connection of a user hears what is sent to the user', limit, async t => {
  const tabs = [await signIn(t, 'ann'), await signIn(t, 'ann')]
  const bobs = await signIn(t, 'bob')
  assert.deepEqual(tabs[0].user.user_data, { id: '1', user_info: ann, watchlist: ['2', '3'] })

  await publisher.sendToUser('1', 'reminder', { for: 'ann' })
  await publisher.sendToUser('2', 'reminder', { for: 'bob' })

  for (const tab of tabs) assert.deepEqual(await tab.heard.next(), { for: 'ann' })
  assert.deepEqual(await bobs.heard.next(), { for: 'bob' })
})

test('P:SGN-11 the watchlist tells who is online, who comes and who goes', limit, async t => {
  const anns = await signIn(t, 'ann')
  assert.deepEqual(await anns.watched.next(), { name: 'offline', user_ids: ['2', '3'] })

  const bobTabs = [await signIn(t, 'bob'), await signIn(t, 'bob')]
  assert.deepEqual(await anns.watched.next(), { name: 'online', user_ids: ['2'] })
  for (const tab of bobTabs) {
    assert.deepEqual(await tab.watched.next(), { name: 'online', user_ids: ['1'] })
    assert.deepEqual(await tab.watched.next(), { name: 'offline', user_ids: ['3'] })
  }

  // The second tab makes no difference: Bob is offline with the last of them.
  for (const tab of bobTabs) tab.disconnect()
  assert.deepEqual(await anns.watched.next(), { name: 'offline', user_ids: ['2'] })
  assert.equal(anns.watched.size, 0)
})

test('P:SGN-09 terminateUserConnections ends connections that are signed in and in no channel', limit, async t => {
  const anns = await signIn(t, 'ann')
  const bobs = await signIn(t, 'bob')
  const errors = new Inbox('the reason of the end')
  bobs.connection.bind('error', errors.put)

  await publisher.terminateUserConnections('2')

  assert.deepEqual((await errors.next()).data, { code: 4009, message: 'You got disconnected by the app.' })
  await until('the client has given up', () => bobs.connection.state === 'disconnected')
  assert.equal(anns.connection.state, 'connected')
})

test('P:SGN-02 a sign-in with a wrong signature is refused, and the connection stays', limit, async t => {
  const pusher = await newPusher(t, {
    userAuthentication: {
      customHandler: (_, done) => done(null, { auth: 'app-key:wrong', user_data: '{"id":"1"}' }),
    },
  })
  const errors = new Inbox('an error')
  pusher.connection.bind('error', errors.put)

  pusher.signin()

  assert.deepEqual((await errors.next()).data, { code: 4009, message: 'Connection is unauthorized' })
  assert.equal(pusher.user.user_data, null)
  assert.equal(pusher.connection.state, 'connected')
})

test('P:PRE-13 in a presence channel users can be who they have signed in as', limit, async t => {
  const anns = await signIn(t, 'ann')
  const bobs = await signIn(t, 'bob')
  const events = new Inbox('an event in the channel')

  const room = anns.subscribe('presence-signed-in')
  room.bind_global((event, data) => events.put({ event, data }))
  assert.equal((await events.next()).event, 'pusher:subscription_succeeded')
  assert.deepEqual(room.members.me, { id: '1', info: ann })
  bobs.subscribe('presence-signed-in')

  assert.deepEqual(await events.next(), { event: 'pusher:member_added', data: { id: '2', info: bob } })
})

test('P:ECH-01 P:SGN-07 Echo signs in', limit, async t => {
  const echo = await newEcho(t, backend, 'zoe')
  const { user } = echo.connector.pusher
  const heard = new Inbox('an event for Zoë')
  user.bind('reminder', heard.put)

  echo.connector.signin()
  await until('Zoë is signed in', () => user.serverToUserChannel?.subscribed)
  await publisher.sendToUser('3', 'reminder', { text: 'Zoë 🦊' })

  assert.deepEqual(await heard.next(), { text: 'Zoë 🦊' })
})

test('P:CNT-01 P:CNT-02 channels know how many subscribers they have', limit, async t => {
  const anns = await newEcho(t, backend, 'ann')
  const bobs = await newEcho(t, backend, 'bob')
  const { subscription } = await subscribed(anns.channel('counted'))
  const counts = new Inbox('a count')
  subscription.bind('pusher:subscription_count', counts.put)

  await until('Ann is counted', () => subscription.subscriptionCount === 1)
  await subscribed(bobs.channel('counted'))
  await until('Bob is counted', () => subscription.subscriptionCount === 2)
  bobs.leave('counted')
  await until('Bob is not counted', () => subscription.subscriptionCount === 1)
  assert.deepEqual(await last(counts), { subscription_count: 1 })

  const room = await subscribed(anns.join('counted'))
  assert.equal(room.subscription.subscriptionCount, undefined)
})

async function last(inbox) {
  let entry = await inbox.next()
  while (inbox.size) entry = await inbox.next()
  return entry
}

test('P:CAC-02 P:PRV-09 an encrypted cache channel repeats its last event to who has the key', limit, async t => {
  const anns = await newEcho(t, backend, 'ann')
  await publisher.trigger('private-encrypted-cache-orders', 'shipped', { card: '4242 </ë>' })
  const orders = new Inbox('an order')

  anns.encryptedPrivate('cache-orders').listen('.shipped', orders.put)

  assert.deepEqual(await orders.next(), { card: '4242 </ë>' })
})
