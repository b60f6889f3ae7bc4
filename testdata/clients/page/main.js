// A page as the Laravel documentation has it. The only change is the build of pusher-js, because the plain one cannot
// read encrypted channels.

import Echo from 'laravel-echo'
import Pusher from 'pusher-js/with-encryption'

window.Pusher = Pusher

window.Echo = new Echo({
  broadcaster: 'reverb',
  key: import.meta.env.VITE_REVERB_APP_KEY,
  wsHost: import.meta.env.VITE_REVERB_HOST,
  wsPort: import.meta.env.VITE_REVERB_PORT ?? 80,
  wssPort: import.meta.env.VITE_REVERB_PORT ?? 443,
  forceTLS: (import.meta.env.VITE_REVERB_SCHEME ?? 'https') === 'https',
  enabledTransports: ['ws', 'wss'],
})

const byID = id => document.getElementById(id)

function log(text) {
  byID('log').append(Object.assign(document.createElement('li'), { textContent: text }))
}

window.Echo.connector.onConnectionChange(status => { byID('status').value = status })

// Every channel logs its subscription, so that a test can tell when it is ready, and again after a reconnect.
function watch(channel) {
  return channel
    .subscribed(() => log(`${channel.name}: subscribed`))
    .error(({ status }) => log(`${channel.name}: refused with ${status}`))
    .listen('OrderShipped', order => log(`${channel.name}: order ${order.text}`))
}

watch(window.Echo.channel('orders'))
watch(window.Echo.private('orders'))
watch(window.Echo.encryptedPrivate('orders'))
watch(window.Echo.private('forged'))

// Whoever signs in hears what is meant for the user, and who of the others is online.
const { user } = window.Echo.connector.pusher
const online = new Set()
const showOnline = () => { byID('online').value = [...online].sort().join(', ') || 'nobody' }
user.bind('reminder', ({ text }) => log(`reminder ${text}`))
user.watchlist.bind('online', ({ user_ids: ids }) => {
  for (const id of ids) online.add(id)
  showOnline()
})
user.watchlist.bind('offline', ({ user_ids: ids }) => {
  for (const id of ids) online.delete(id)
  showOnline()
})
window.Echo.connector.signin()

const here = new Set()
const showHere = () => { byID('here').value = [...here].sort().join(', ') }

const room = watch(window.Echo.join('room'))
  .here(users => {
    here.clear()
    for (const user of users) here.add(user.name)
    showHere()
  })
  .joining(user => {
    here.add(user.name)
    showHere()
  })
  .leaving(user => {
    here.delete(user.name)
    showHere()
  })
  .listenForWhisper('typing', ({ text }, { user_id: user }) => { byID('typing').value = `${user}: ${text}` })

byID('text').addEventListener('input', ({ target }) => room.whisper('typing', { text: target.value }))

byID('order').addEventListener('submit', async event => {
  event.preventDefault()
  const text = byID('text').value
  await fetch('/orders', {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'X-CSRF-TOKEN': document.querySelector('meta[name=csrf-token]').content,
      'X-Socket-ID': window.Echo.socketId(),
    },
    body: JSON.stringify({ text }),
  })
  log(`shipped ${text}`)
})
