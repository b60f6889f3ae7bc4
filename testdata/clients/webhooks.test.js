// Webhooks, received by an application that checks them with Pusher's server library.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import Publisher from 'pusher'
import { publisher, startBackend } from './backend.js'
import { newEcho, subscribed } from './clients.js'
import { app, webhooks } from './settings.js'
import { Inbox, limit } from './wait.js'

let backend, receiver
const received = new Inbox('a webhook')
// How many of the next requests are answered with an error.
let failures = 0

before(async t => {
  backend = await startBackend(t)
  if (!webhooks) return
  receiver = createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    received.put({ headers: request.headers, rawBody: Buffer.concat(chunks).toString() })
    response.statusCode = failures-- > 0 ? 500 : 204
    response.end()
  })
  receiver.listen(Number(new URL(webhooks).port), '127.0.0.1')
  await once(receiver, 'listening')
})
after(() => receiver?.close())

// Events of any request are checked before they are looked at. They are kept, because several may come at once.
const events = []

async function nextEvent() {
  while (events.length === 0) events.push(...checked(await received.next()).getEvents())
  return events.shift()
}

function checked(request) {
  const hook = publisher.webhook(request)
  assert.ok(hook.isValid(), `not valid: ${JSON.stringify(request)}`)
  assert.ok(Math.abs(Date.now() - hook.getTime()) < 300_000, `sent at ${hook.getTime()}`)
  return hook
}

function hookTest(name, run) {
  test(name, { ...limit, skip: !webhooks && 'REVERB_GO_WEBHOOK_URL is not set' }, run)
}

hookTest('P:WHK-01 P:WHK-02 P:WHK-03 P:WHK-04 P:WHK-05 P:WHK-06 P:WHK-07 webhook() accepts each kind of event', async t => {
  const anns = await newEcho(t, backend, 'ann')
  const bobs = await newEcho(t, backend, 'bob')
  const bobsSocket = bobs.socketId()
  await subscribed(anns.join('hooks'))
  assert.deepEqual(await nextEvent(), { name: 'channel_occupied', channel: 'presence-hooks' })
  assert.deepEqual(await nextEvent(), { name: 'member_added', channel: 'presence-hooks', user_id: '1' })

  const room = await subscribed(bobs.join('hooks'))
  assert.deepEqual(await nextEvent(), { name: 'member_added', channel: 'presence-hooks', user_id: '2' })

  room.whisper('typing', { text: 'Zoë 🦊 </script>' })
  assert.deepEqual(await nextEvent(), {
    name: 'client_event',
    channel: 'presence-hooks',
    event: 'client-typing',
    data: '{"text":"Zoë 🦊 </script>"}',
    socket_id: bobsSocket,
    user_id: '2',
  })

  await subscribed(anns.channel('cache-hooks'))
  assert.deepEqual(await nextEvent(), { name: 'channel_occupied', channel: 'cache-hooks' })
  assert.deepEqual(await nextEvent(), { name: 'subscription_count', channel: 'cache-hooks', subscription_count: 1 })
  assert.deepEqual(await nextEvent(), { name: 'cache_miss', channel: 'cache-hooks' })

  // What has ended is told some seconds later, in case it is a page that is loaded again.
  bobs.disconnect()
  assert.deepEqual(await nextEvent(), { name: 'member_removed', channel: 'presence-hooks', user_id: '2' })
  anns.disconnect()
  const ends = [await nextEvent(), await nextEvent(), await nextEvent()]
  assert.deepEqual(ends.sort((a, b) => (a.channel + a.name < b.channel + b.name ? -1 : 1)), [
    { name: 'channel_vacated', channel: 'cache-hooks' },
    { name: 'channel_vacated', channel: 'presence-hooks' },
    { name: 'member_removed', channel: 'presence-hooks', user_id: '1' },
  ])
})

hookTest('P:WHK-07 webhook() refuses another key, another secret and another body', async t => {
  await subscribed((await newEcho(t, backend, 'ann')).private('forged-hooks-not'))
  const request = await received.next()
  const { appId, host } = publisher.config
  checked(request)

  assert.ok(!new Publisher({ appId, host, key: app.key, secret: 'other' }).webhook(request).isValid())
  assert.ok(!new Publisher({ appId, host, key: 'other', secret: app.secret }).webhook(request).isValid())
  assert.ok(!publisher.webhook({ ...request, rawBody: `${request.rawBody} ` }).isValid())
  while (received.size) await received.next()
})

hookTest('P:WHK-08 what the application could not take comes again, the same and still valid', async t => {
  failures = 2
  await subscribed((await newEcho(t, backend, 'ann')).channel('again'))
  const attempts = [await received.next(), await received.next(), await received.next()]

  for (const { headers, rawBody } of attempts) {
    assert.equal(rawBody, attempts[0].rawBody)
    assert.equal(headers['x-pusher-signature'], attempts[0].headers['x-pusher-signature'])
  }
  assert.deepEqual(checked(attempts[2]).getEvents()[0], { name: 'channel_occupied', channel: 'again' })
})
