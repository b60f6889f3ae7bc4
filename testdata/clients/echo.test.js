// laravel-echo with its reverb broadcaster, as a Laravel application uses it.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { publisher, startBackend, users } from './backend.js'
import { heard, newEcho, subscribed } from './clients.js'
import { control } from './settings.js'
import { Inbox, RECONNECTING, limit, restartLimit, until } from './wait.js'

const { ann, bob, zoe } = users

let backend
before(async t => { backend = await startBackend(t) })

// occupied asks the server whether anybody is subscribed.
async function occupied(channel) {
  const response = await publisher.get({ path: `/channels/${channel}` })
  return (await response.json()).occupied
}

// members is an inbox for all that happens in a presence channel.
function members(channel) {
  const inbox = new Inbox(`news of the members of ${channel.name}`)
  channel.here(all => inbox.put({ here: all }))
  channel.joining(user => inbox.put({ joining: user }))
  channel.leaving(user => inbox.put({ leaving: user }))
  return inbox
}

test('P:CON-19 P:ECH-01 Echo connects and knows its socket id', limit, async t => {
  const echo = await newEcho(t, backend, 'ann')

  assert.equal(echo.connectionStatus(), 'connected')
  assert.match(echo.socketId(), /^\d+\.\d+$/)
})

test('P:SUB-01 P:EVT-04 a public channel carries events under their class or broadcast names', limit, async t => {
  const echo = await newEcho(t, backend, 'ann')
  const channel = await subscribed(echo.channel('news'))
  const byClass = heard(channel, 'OrderShipped')
  const byName = heard(channel, '.order.shipped')

  await publisher.trigger('news', 'App\\Events\\OrderShipped', { order: 1 })
  await publisher.trigger('news', 'order.shipped', { order: 2 })

  assert.deepEqual(await byClass.next(), { order: 1 })
  assert.deepEqual(await byName.next(), { order: 2 })
})

test('P:PRV-01 a private channel is open to whom the backend signs for', limit, async t => {
  const echo = await newEcho(t, backend, 'ann')
  const orders = heard(await subscribed(echo.private('orders')), 'OrderShipped')

  await publisher.trigger('private-orders', 'App\\Events\\OrderShipped', { order: 1 })

  assert.deepEqual(await orders.next(), { order: 1 })
})

test('P:ECH-02 P:PRE-01 P:PRE-02 P:PRE-06 P:PRE-11 here, joining and leaving tell what users are', limit, async t => {
  const annsEcho = await newEcho(t, backend, 'ann')
  const bobsEcho = await newEcho(t, backend, 'bob')
  const zoesEcho = await newEcho(t, backend, 'zoe')

  const annsNews = members(annsEcho.join('room'))
  assert.deepEqual(await annsNews.next(), { here: [ann] })

  const bobsNews = members(bobsEcho.join('room'))
  assert.deepEqual(await bobsNews.next(), { here: [ann, bob] })
  assert.deepEqual(await annsNews.next(), { joining: bob })

  const zoesNews = members(zoesEcho.join('room'))
  assert.deepEqual(await zoesNews.next(), { here: [ann, bob, zoe] })
  assert.deepEqual(await annsNews.next(), { joining: zoe })
  assert.deepEqual(await bobsNews.next(), { joining: zoe })

  zoesEcho.disconnect()
  assert.deepEqual(await annsNews.next(), { leaving: zoe })
  assert.deepEqual(await bobsNews.next(), { leaving: zoe })
})

test('P:PRE-03 P:PRE-04 P:PRE-05 a second tab of a user neither joins nor leaves', limit, async t => {
  const annsEcho = await newEcho(t, backend, 'ann')
  const firstTab = await newEcho(t, backend, 'bob')
  const secondTab = await newEcho(t, backend, 'bob')
  const annsNews = members(annsEcho.join('tabs'))
  assert.deepEqual(await annsNews.next(), { here: [ann] })

  members(firstTab.join('tabs'))
  assert.deepEqual(await annsNews.next(), { joining: bob })
  const secondTabsNews = members(secondTab.join('tabs'))
  assert.deepEqual(await secondTabsNews.next(), { here: [ann, bob] })

  // Only the last of the two tabs is told of, so there is one leaving and nothing before it.
  firstTab.leave('tabs')
  secondTab.leave('tabs')
  assert.deepEqual(await annsNews.next(), { leaving: bob })
  assert.equal(annsNews.size, 0)
})

test('P:ECH-03 P:CLI-01 P:CLI-02 P:CLI-07 P:CLI-09 whispers reach the others, with and without data', limit, async t => {
  const annsRoom = await subscribed((await newEcho(t, backend, 'ann')).join('whispers'))
  const bobsRoom = await subscribed((await newEcho(t, backend, 'bob')).join('whispers'))
  const annHears = whispers(annsRoom)
  const bobHears = whispers(bobsRoom)

  annsRoom.whisper('typing', { text: 'Zoë 🦊 </script>' })
  assert.deepEqual(await bobHears.next(), [{ text: 'Zoë 🦊 </script>' }, { user_id: '1' }])

  bobsRoom.whisper('typing')
  // Ann's own whisper was first; that Bob's comes first shows that hers did not come back to her.
  assert.deepEqual(await annHears.next(), [{}, { user_id: '2' }])
})

function whispers(channel) {
  const inbox = new Inbox(`whispers on ${channel.name}`)
  channel.listenForWhisper('typing', inbox.putAll)
  return inbox
}

test('P:CLI-01 a whisper on a private channel says nothing of its sender', limit, async t => {
  const annsOrders = await subscribed((await newEcho(t, backend, 'ann')).private('orders'))
  const bobsOrders = await subscribed((await newEcho(t, backend, 'bob')).private('orders'))
  const bobHears = whispers(bobsOrders)

  annsOrders.whisper('typing', { order: 1 })

  assert.deepEqual(await bobHears.next(), [{ order: 1 }, {}])
})

test('P:ECH-04 P:PRV-02 P:PRV-05 error() is told of a signature that the server refuses', limit, async t => {
  const echo = await newEcho(t, backend, 'ann')
  const refusals = new Inbox('the refusal of private-forged')
  echo.private('forged').error(refusals.put)

  assert.deepEqual(await refusals.next(), { type: 'AuthError', error: 'Connection is unauthorized', status: 401 })

  assert.equal(echo.connectionStatus(), 'connected')
  await subscribed(echo.private('orders'))
})

test('P:ECH-04 error() is told when the backend denies the channel', limit, async t => {
  const echo = await newEcho(t, backend, 'ann')
  const refusals = new Inbox('the refusal of private-closed')
  echo.private('closed').error(refusals.put)

  const { type, status } = await refusals.next()

  assert.deepEqual({ type, status }, { type: 'AuthError', status: 403 })
})

test('P:ECH-05 P:PRE-18 leave() tells the others, and ends all four kinds of the channel', limit, async t => {
  const annsEcho = await newEcho(t, backend, 'ann')
  const bobsEcho = await newEcho(t, backend, 'bob')
  const annsNews = members(annsEcho.join('exit'))
  assert.deepEqual(await annsNews.next(), { here: [ann] })
  await subscribed(bobsEcho.channel('exit'))
  await subscribed(bobsEcho.private('exit'))
  await subscribed(bobsEcho.encryptedPrivate('exit'))
  await subscribed(bobsEcho.join('exit'))
  assert.deepEqual(await annsNews.next(), { joining: bob })

  bobsEcho.leave('exit')

  assert.deepEqual(await annsNews.next(), { leaving: bob })
  for (const channel of ['exit', 'private-exit', 'private-encrypted-exit']) {
    await until(`${channel} is empty`, async () => !await occupied(channel))
  }
  bobsEcho.leave('never-joined')
  assert.equal(bobsEcho.connectionStatus(), 'connected')
})

test('P:ECH-06 P:EVT-05 toOthers leaves out the tab that asked, and only that', limit, async t => {
  const annsEcho = await newEcho(t, backend, 'ann')
  const annsOtherEcho = await newEcho(t, backend, 'ann')
  const bobsEcho = await newEcho(t, backend, 'bob')
  const [ann, annsOther, bob] = await Promise.all([annsEcho, annsOtherEcho, bobsEcho].map(async echo =>
    heard(await subscribed(echo.private('orders')), 'OrderShipped')))

  await fetch(`${backend}/orders`, {
    method: 'POST',
    headers: { Authorization: 'Bearer ann', 'X-Socket-ID': annsEcho.socketId() },
    body: JSON.stringify({ order: 7 }),
  })
  await publisher.trigger('private-orders', 'App\\Events\\OrderShipped', { order: 8 })

  assert.deepEqual(await annsOther.next(), { order: 7 })
  assert.deepEqual(await bob.next(), { order: 7 })
  assert.deepEqual(await ann.next(), { order: 8 })
})

test('P:ECH-07 P:PRV-08 P:EVT-09 an encrypted channel is read by whom the backend gave the key', limit, async t => {
  const echo = await newEcho(t, backend, 'ann')
  const orders = heard(await subscribed(echo.encryptedPrivate('orders')), 'OrderShipped')

  await publisher.trigger('private-encrypted-orders', 'App\\Events\\OrderShipped', { card: '4242 </ë>' })

  assert.deepEqual(await orders.next(), { card: '4242 </ë>' })
})

test('P:ECH-08 P:SUB-09 subscribing, leaving and subscribing at once ends with one subscription', limit, async t => {
  const echo = await newEcho(t, backend, 'ann')
  const orders = new Inbox('orders')
  const mount = () => echo.private('strict').listen('OrderShipped', orders.put)
  const unmount = () => {
    echo.private('strict').stopListening('OrderShipped', orders.put)
    echo.leave('strict')
  }

  // React's StrictMode does this when a component first appears: the first subscription is still without answer.
  mount()
  unmount()
  await subscribed(mount())
  await hearOnce(orders, 'private-strict', 1)

  // And this happens when a dependency changes later: the subscription is given up and asked for again.
  unmount()
  await subscribed(mount())
  await hearOnce(orders, 'private-strict', 2)
})

async function hearOnce(inbox, channel, order) {
  await publisher.trigger(channel, 'App\\Events\\OrderShipped', { order })
  await publisher.trigger(channel, 'App\\Events\\OrderShipped', { last: order })
  assert.deepEqual(await inbox.next(), { order })
  assert.deepEqual(await inbox.next(), { last: order })
}

test('P:ECH-09 notification() hears what Laravel notifies', limit, async t => {
  const echo = await newEcho(t, backend, 'ann')
  const channel = await subscribed(echo.private('App.Models.User.1'))
  const notifications = new Inbox('a notification')
  channel.notification(notifications.put)
  const notification = { id: 'a1', type: 'App\\Notifications\\InvoicePaid', amount: 12 }

  await publisher.trigger(
    'private-App.Models.User.1',
    'Illuminate\\Notifications\\Events\\BroadcastNotificationCreated',
    notification,
  )

  assert.deepEqual(await notifications.next(), notification)
})

test('P:CLS-04 P:SUB-11 after a restart of the server everybody is back', restartLimit, async t => {
  if (!control) return t.skip('REVERB_CONTROL_URL is not set')
  const annsEcho = await newEcho(t, backend, 'ann')
  const annsFirstSocket = annsEcho.socketId()
  const annsNews = members(annsEcho.join('restart'))
  assert.deepEqual(await annsNews.next(), { here: [ann] })
  const annsOrders = heard(await subscribed(annsEcho.private('orders')), 'OrderShipped')
  const bobsEcho = await newEcho(t, backend, 'bob')
  const bobsNews = members(bobsEcho.join('restart'))
  assert.deepEqual(await bobsNews.next(), { here: [ann, bob] })
  assert.deepEqual(await annsNews.next(), { joining: bob })

  const restarted = await fetch(`${control}/restart`, { method: 'POST' })
  assert.equal(restarted.status, 200, await restarted.text())

  // Whoever comes second sees both, and the other one sees that one joining. A tab may hear of the other's leaving
  // while the server goes down.
  const seen = await Promise.all([annsNews, bobsNews].map(everybody))
  assert.ok(seen.some(first => first === 2), `here() listed ${seen}`)
  assert.notEqual(annsEcho.socketId(), annsFirstSocket)
  await until('the private channel is subscribed', () => annsEcho.private('orders').subscription.subscribed)
  await publisher.trigger('private-orders', 'App\\Events\\OrderShipped', { order: 9 })
  assert.deepEqual(await annsOrders.next(), { order: 9 })
})

// everybody waits until two users have been seen after here() came again, and returns how many here() listed.
async function everybody(news) {
  let { here, leaving } = await news.next(RECONNECTING)
  if (leaving) ({ here } = await news.next(RECONNECTING))
  if (here.length === 1) assert.ok((await news.next(RECONNECTING)).joining)
  return here.length
}
