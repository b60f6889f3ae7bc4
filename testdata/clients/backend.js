// The application behind the browser: it knows its users, answers /broadcasting/auth and /broadcasting/user-auth as
// Laravel does and publishes orders. It serves the page as well.

import { createHash, createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import Publisher from 'pusher'
import { app, encryptionKey, server } from './settings.js'

// The users. Names and addresses contain what PHP escapes in JSON and others do not.
export const users = {
  ann: { id: 1, name: 'Ann', home: 'https://ann.example/' },
  bob: { id: 2, name: 'Bob', home: 'https://bob.example/' },
  zoe: { id: 3, name: 'Zoë 🦊', home: 'https://zoë.example/' },
}

export const publisher = new Publisher({
  appId: app.id,
  key: app.key,
  secret: app.secret,
  host: server.host,
  port: server.port,
  useTLS: false,
  encryptionMasterKeyBase64: encryptionKey,
})

const CSRF_TOKEN = 'csrf-of-this-session'

// start listens on a free port. The files are what it serves to browsers: { '/': [type, text] }.
export async function startBackend(t, files = {}) {
  const requests = createServer((request, response) => {
    answer(request, files).catch(error => [500, { message: String(error) }]).then(([status, body, type]) => {
      response.writeHead(status, { 'Content-Type': type ?? 'application/json' })
      response.end(type ? body : JSON.stringify(body))
    })
  })
  requests.listen(0, '127.0.0.1')
  await once(requests, 'listening')
  t.after(() => {
    requests.close()
    requests.closeAllConnections()
  })
  return `http://127.0.0.1:${requests.address().port}`
}

async function answer(request, files) {
  const { pathname } = new URL(request.url, 'http://localhost')
  if (request.method === 'GET' && files[pathname]) {
    const [type, body] = files[pathname]
    return [200, body.replaceAll('CSRF_TOKEN', CSRF_TOKEN), type]
  }
  if (request.method !== 'POST') return [404, { message: 'Not Found' }]
  const user = signedIn(request)
  if (!user) return [403, { message: 'Unauthenticated.' }]
  const body = await text(request)
  switch (pathname) {
    case '/broadcasting/auth':
      return authorize(user, form(request, body))
    case '/broadcasting/user-auth':
      return authenticate(user, form(request, body))
    case '/orders':
      return ship(request, JSON.parse(body))
  }
  return [404, { message: 'Not Found' }]
}

// signedIn takes a bearer token, or a cookie together with the CSRF token that the page was given.
function signedIn(request) {
  const { authorization, cookie } = request.headers
  if (authorization) return users[authorization.replace(/^Bearer /, '')]
  if (request.headers['x-csrf-token'] !== CSRF_TOKEN) return undefined
  return users[/\buser=(\w+)/.exec(cookie)?.[1]]
}

async function text(request) {
  request.setEncoding('utf8')
  let body = ''
  for await (const chunk of request) body += chunk
  return body
}

function form(request, body) {
  const type = request.headers['content-type']
  if (!type?.startsWith('application/x-www-form-urlencoded')) throw new Error(`auth request is ${type}`)
  return Object.fromEntries(new URLSearchParams(body))
}

// authenticate says who signs in. Everybody watches everybody else.
function authenticate(user, { socket_id: socketID }) {
  const watchlist = Object.values(users).filter(({ id }) => id !== user.id).map(({ id }) => String(id))
  const data = json({ id: String(user.id), user_info: user, watchlist })
  return [200, { auth: sign(`${socketID}::user::${data}`), user_data: data }]
}

// authorize decides as routes/channels.php would: everybody may join everything but two channels. The answer for the
// second of them looks right and is not, so that the refusal comes from the websocket server. In presence-signed-in
// users are who they have signed in as.
function authorize(user, { socket_id: socketID, channel_name: channel }) {
  if (channel === 'private-closed') return [403, { message: 'This action is unauthorized.' }]
  if (channel === 'private-forged') return [200, { auth: `${app.key}:${'0'.repeat(64)}` }]
  if (channel.startsWith('presence-') && channel !== 'presence-signed-in') {
    const member = json({ user_id: String(user.id), user_info: user })
    return [200, { auth: sign(`${socketID}:${channel}:${member}`), channel_data: member }]
  }
  const auth = sign(`${socketID}:${channel}`)
  if (!channel.startsWith('private-encrypted-')) return [200, { auth }]
  return [200, { auth, shared_secret: sharedSecret(channel) }]
}

function sign(subject) {
  return `${app.key}:${createHmac('sha256', app.secret).update(subject).digest('hex')}`
}

function sharedSecret(channel) {
  return createHash('sha256').update(channel).update(Buffer.from(encryptionKey, 'base64')).digest('base64')
}

// json is PHP's json_encode: slashes and everything beyond ASCII are escaped. Signatures are made over this text.
function json(value) {
  return JSON.stringify(value)
    .replaceAll('/', '\\/')
    .replace(/[\u0080-\uffff]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

// ship is what broadcast(new OrderShipped($order))->toOthers() does.
async function ship(request, order) {
  const exclude = request.headers['x-socket-id']
  await publisher.trigger('private-orders', 'App\\Events\\OrderShipped', order, exclude ? { socket_id: exclude } : {})
  return [200, order]
}
