// The clients under test: pusher-js as it is, and laravel-echo on top of it.

import Echo from 'laravel-echo'
import Pusher from 'pusher-js'
import { app, server } from './settings.js'
import { Inbox, PATIENCE, within } from './wait.js'

const address = {
  wsHost: server.host,
  wsPort: server.port,
  wssPort: server.port,
  forceTLS: false,
  enabledTransports: ['ws', 'wss'],
}

// newPusher connects and returns when the connection is established. It is closed when the test ends.
export async function newPusher(t, options = {}) {
  const pusher = startPusher(t, app.key, options)
  await established(pusher)
  return pusher
}

// startPusher returns before the connection is established, if it ever is.
export function startPusher(t, key, options = {}) {
  const pusher = new Pusher(key, { cluster: '', ...address, ...options })
  t.after(() => pusher.disconnect())
  return pusher
}

// newEcho connects as one browser tab of the user and returns when the connection is established.
export async function newEcho(t, backend, user) {
  const echo = new Echo({
    broadcaster: 'reverb',
    key: app.key,
    ...address,
    Pusher,
    authEndpoint: `${backend}/broadcasting/auth`,
    bearerToken: user,
    // Echo would put its headers into objects that all instances share.
    auth: { headers: {} },
    userAuthentication: { endpoint: `${backend}/broadcasting/user-auth`, headers: {} },
  })
  t.after(() => echo.disconnect())
  await established(echo.connector.pusher)
  return echo
}

function established({ connection }) {
  return within(PATIENCE, 'the connection to be established', new Promise((resolve, reject) => {
    if (connection.state === 'connected') resolve()
    connection.bind('connected', resolve)
    connection.bind('error', error => reject(new Error(`connection refused: ${JSON.stringify(error)}`)))
  }))
}

// subscribed waits until the server has accepted the subscription of an Echo channel.
export async function subscribed(channel) {
  if (channel.subscription.subscribed) return channel
  const answers = new Inbox(`an answer to the subscription of ${channel.name}`)
  channel.subscribed(() => answers.put())
  channel.error(answers.put)
  const refusal = await answers.next()
  if (refusal) throw new Error(`${channel.name} refused: ${JSON.stringify(refusal)}`)
  return channel
}

// heard returns an inbox of what an Echo channel hears under a name.
export function heard(channel, event) {
  const inbox = new Inbox(`${event} on ${channel.name}`)
  channel.listen(event, inbox.put)
  return inbox
}
