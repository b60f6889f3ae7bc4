// Whether everybody can use the page: by the rules of axe, by keyboard, and on a phone.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { calm, check } from './axe.js'
import { enter, guest, limit, message, phone, Program, send, visit, write } from './people.js'

const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map(Program.signIn))

test('the page can be used by everybody, in light and in dark', limit, async t => {
  const room = await alice.start([bob, carol], 'Launch week')
  await carol.say(room, 'The checklist is ready for review.')
  await alice.say(room, 'Then nothing is in the way of https://example.com/thursday')
  await bob.say(room, 'First actual case of a bug being found!')
  const b = await visit(t, 'bob')
  await enter(b, room)

  for (const colorScheme of ['light', 'dark']) {
    const front = await guest(t, { colorScheme })
    await front.getByLabel('User name').waitFor()
    await calm(front)
    await check(front, `signing in, ${colorScheme}`)

    const a = await visit(t, 'alice', { colorScheme })
    await a.locator(`[data-conversation="${room.id}"]`).waitFor()
    await check(a, `the list, ${colorScheme}`)
    await enter(a, room)
    await message(a, 'First actual case of a bug being found!').waitFor()
    await a.locator('[data-viewing="2"]').waitFor()
    await write(b, 'I am')
    await a.getByText(`${bob.user.name} is typing`).waitFor()
    await calm(a)
    await check(a, `a conversation, ${colorScheme}`)
    await write(b, '')

    for (const [name, keys] of [['New conversation', 'Alt+n'], ['Keyboard shortcuts', '?']]) {
      await a.getByRole('log').focus()
      await a.keyboard.press(keys)
      await a.getByRole('dialog', { name }).waitFor()
      await calm(a)
      await check(a, `${name}, ${colorScheme}`)
      await a.keyboard.press('Escape')
    }
    await a.getByRole('button', { name: /^Notifications/ }).click()
    await a.getByRole('dialog', { name: 'Notifications' }).waitFor()
    await calm(a)
    await check(a, `notifications, ${colorScheme}`)
  }
})

test('everything can be reached by keyboard', limit, async t => {
  const room = await alice.start([bob], 'By keyboard')
  const a = await visit(t, 'alice')
  await a.locator(`[data-conversation="${room.id}"]`).waitFor()
  await a.keyboard.press('Alt+ArrowDown')
  await a.getByRole('heading', { name: 'By keyboard' }).waitFor()
  await a.keyboard.type('no mouse')
  await a.locator('.messages ol').waitFor({ state: 'attached' })
  await a.keyboard.press('Enter')
  await message(a, 'no mouse').and(a.locator('[data-state="stored"]')).waitFor()

  await a.keyboard.press('Shift+Tab')
  await a.getByRole('button', { name: 'Message options' }).and(a.locator(':focus')).waitFor()
  await a.keyboard.press('Enter')
  await a.getByRole('menuitem', { name: 'Edit' }).and(a.locator(':focus')).waitFor()
  await a.keyboard.press('Enter')
  await a.getByLabel('Edit message').fill('no mouse at all')
  await a.keyboard.press('Enter')
  await message(a, 'no mouse at all').waitFor()

  await a.keyboard.press('Control+k')
  await a.keyboard.type('by keyb')
  await a.locator('.line').nth(1).waitFor({ state: 'detached' })
  await a.keyboard.press('Escape')
  await a.getByText('Pick up where you left off').waitFor()
})

test('it fits a phone', limit, async t => {
  const room = await alice.start([bob, carol], 'On the road', 'wide' + 'ish'.repeat(200))
  const page = await visit(t, 'alice', phone)
  await check(page, 'the list on a phone')
  await enter(page, room)
  await send(page, 'https://example.com/' + 'long'.repeat(60))
  await page.locator('.message[data-state="stored"]').nth(1).waitFor()
  await check(page, 'a conversation on a phone')
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), phone.viewport.width)
  await page.getByRole('button', { name: 'Back to conversations' }).click()
  await page.locator(`[data-conversation="${room.id}"]`).waitFor()
})
