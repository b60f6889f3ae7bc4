// Who may see what, and who is told of what.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enter, guest, limit, message, Program, until, url, visit } from './people.js'

const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map(Program.signIn))

test('a stranger is told that a conversation is not there, and may not listen to it', limit, async t => {
  const room = await alice.start([bob], 'Private', 'secret')
  const [{ id }] = await alice.messages(room)
  const page = await visit(t, 'carol', { path: `/#/c/${room.id}` })
  await page.getByText('This conversation is not here').waitFor()
  assert.equal(await page.getByText('secret').count(), 0)

  for (const [method, path, body] of [
    ['GET', ''], ['POST', '', { body: 'hello' }], ['GET', '/delta?after_message_id=0'], ['POST', '/read', { message_id: id }],
    ['POST', '/typing'], ['DELETE', '/typing'], ['GET', '/typing'], ['PATCH', `/${id}`, { body: 'mine' }], ['DELETE', `/${id}`],
  ]) {
    const { status } = await carol.request(method, `/api/messages/${room.id}${path}`, body)
    assert.equal(status, 404, `${method} ${path}`)
  }
  for (const channel of [`private-conversation.${room.id}`, `presence-conversation.${room.id}`, `private-App.Models.User.${alice.user.id}`]) {
    const { status } = await carol.request('POST', '/broadcasting/auth', { socket_id: '1.2', channel_name: channel })
    assert.equal(status, 403, channel)
    assert.match(await subscribe(page, channel), /connection is unauthorized/i, channel)
  }
})

// subscribe tries it with a signature that the app has not given, and returns what the server says.
async function subscribe(page, channel) {
  const { key, host, port } = await (await fetch(`${url}/api/messages/config`)).json()
  return page.evaluate(([address, subscription]) => new Promise((resolve, reject) => {
    const socket = new WebSocket(address)
    socket.onerror = () => reject(new Error('no connection'))
    socket.onmessage = ({ data }) => {
      if (data.includes('connection_established')) return socket.send(subscription)
      socket.close()
      resolve(data)
    }
  }), [
    `ws://${host || '127.0.0.1'}:${port}/app/${key}?protocol=7`,
    JSON.stringify({ event: 'pusher:subscribe', data: { channel, auth: `${key}:${'0'.repeat(64)}`, channel_data: '{"user_id":"1"}' } }),
  ])
}

test('whoever is away gets one notification, whoever is there none', limit, async t => {
  const admin = await Program.signIn('admin') // who has not been on the page in this file
  const room = await alice.start([admin, bob], 'Away')
  const there = await visit(t, 'bob')
  await there.locator(`[data-conversation="${room.id}"]`).waitFor()
  const about = async person => {
    const { notifications } = await person.must('GET', '/api/messages/notifications')
    return notifications.filter(({ data }) => data.conversation_id === room.id)
  }

  const sent = await alice.say(room, 'Where is everybody?')
  await until('the one who is away is notified', async () => (await about(admin)).length > 0)
  // The same job decides about everybody, so nothing more comes of it.
  assert.deepEqual((await about(admin)).map(({ data }) => data.message_id), [sent.id])
  assert.deepEqual(await about(bob), [])

  const back = await visit(t, 'admin')
  await back.getByRole('button', { name: /Notifications, \d+ unread/ }).click()
  await back.locator('.notification.unread', { hasText: 'Where is everybody?' }).click()
  await message(back, 'Where is everybody?').waitFor()
  await until('it is read', async () => (await about(admin))[0].read_at !== null)
})

test('signing in needs the password, and signing out ends it', limit, async t => {
  const page = await guest(t)
  await page.getByLabel('User name').fill('alice')
  await page.getByLabel('Password').fill('not it')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('.problem:not(:empty)').waitFor()

  const signedIn = await visit(t, 'alice')
  await signedIn.getByRole('button', { name: 'Account' }).click()
  await signedIn.getByRole('menuitem', { name: 'Sign out' }).click()
  await signedIn.getByLabel('User name').waitFor()
  await signedIn.reload()
  await signedIn.getByLabel('User name').waitFor()
})

test('a session that ended elsewhere ends on the page', limit, async t => {
  const room = await alice.start([bob], 'Ended')
  const page = await visit(t, 'alice')
  await page.context().clearCookies({ name: 'messaging_session' })
  await page.evaluate(id => { location.hash = `#/c/${id}` }, room.id)
  await page.getByLabel('User name').waitFor()
})

test('a conversation is muted from the page', limit, async t => {
  const room = await alice.start([carol], 'Muted')
  const other = await alice.start([carol], 'Not muted')
  const page = await visit(t, 'carol')
  await enter(page, room)
  await page.getByRole('button', { name: 'Conversation options' }).click()
  await page.getByRole('menuitem', { name: 'Mute' }).click()
  await page.locator(`[data-conversation="${room.id}"]`).getByLabel('muted').waitFor()
  assert.notEqual((await carol.must('GET', `/api/messages/${room.id}`)).conversation.muted_at, null)
  assert.equal((await carol.must('GET', `/api/messages/${other.id}`)).conversation.muted_at, null)
})
