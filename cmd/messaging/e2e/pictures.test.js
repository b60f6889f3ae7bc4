// The pictures of the documentation.

import { test } from 'node:test'
import { screenshot } from '../../../testdata/clients/browser.js'
import { enter, horizon, limit, madeUp, message, phone, Program, send, visit, write } from './people.js'

const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map(Program.signIn))

const lines = [
  [carol, 'The checklist is ready for review.'],
  [bob, 'I went through it twice, and then once more to be sure.'],
  [alice, 'Then nothing is in the way of Thursday.'],
  [bob, 'Found a moth in relay 70, panel F. It is in the logbook now, with tape.'],
  [carol, 'First actual case of a bug being found!'],
  [alice, 'Details are at https://example.com/logbook/1947-09-09'],
]

test('it is pictured', limit, async t => {
  const room = await alice.start([bob, carol], 'Launch week')
  for (const [person, body] of lines) await person.say(room, body)
  const pages = {
    light: await visit(t, 'alice'),
    dark: await visit(t, 'bob', { colorScheme: 'dark' }),
    phone: await visit(t, 'carol', phone),
  }
  for (const page of Object.values(pages)) await enter(page, room)
  await send(pages.dark, 'Shall we tell the others?')
  await message(pages.light, 'Shall we tell the others?').waitFor()
  await message(pages.dark, 'Shall we tell the others?').locator('.tick.read').waitFor()
  await screenshot(pages.dark, 'messaging-dark')
  await write(pages.dark, 'I will')
  for (const name of ['light', 'phone']) {
    await pages[name].getByText(`${bob.user.name} is typing`).waitFor()
    await pages[name].locator('[data-viewing="3"]').waitFor()
    await screenshot(pages[name], `messaging-${name}`)
  }
})

test('the queues are pictured', limit, async t => {
  const page = await horizon(t)
  await madeUp(page)
  await page.reload()
  await page.locator('svg.chart').waitFor()
  await page.locator('#jobs li b').first().waitFor()
  await screenshot(page, 'messaging-queues')
})
