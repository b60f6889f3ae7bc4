// The inspector at /inspector, in Chromium, while clients are at work.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { publisher, startBackend } from './backend.js'
import { launch, open, screenshot } from './browser.js'
import { newPusher } from './clients.js'
import { adminToken, app, screenshots, server } from './settings.js'
import { Inbox, limit, until } from './wait.js'

const inspector = `http://${server.host}:${server.port}/inspector`
const DESKTOP = { viewport: { width: 1280, height: 900 } }
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }

let browser, backend
before(async t => {
  browser = await launch()
  backend = await startBackend(t)
})
after(() => browser?.close())

// visit opens the inspector in a browser of its own, with the token. What the browser refuses to do, such as a script
// that the policy forbids, is one of page.mistakes.
async function visit(t, view = 'overview', options = {}) {
  const context = await browser.newContext({ ...DESKTOP, locale: 'en-GB', ...options })
  t.after(() => context.close())
  const page = await open(context, `${inspector}#/${view}`)
  page.on('console', message => {
    // The first question is asked without the token.
    if (message.type() === 'error' && !message.text().includes('401')) page.mistakes.push(message.text())
  })
  page.on('dialog', dialog => dialog.accept())
  t.after(() => assert.deepEqual(page.mistakes, []))
  await page.getByLabel('Admin token').fill(adminToken)
  await page.getByRole('button', { name: 'Look' }).click()
  await page.getByRole('status').getByText('healthy').waitFor()
  return page
}

// join connects a user and subscribes to the channels.
async function join(t, user, ...channels) {
  const pusher = await newPusher(t, {
    channelAuthorization: { endpoint: `${backend}/broadcasting/auth`, headers: { Authorization: `Bearer ${user}` } },
  })
  for (const name of channels) {
    const channel = pusher.subscribe(name)
    await until(`${user} is in ${name}`, () => channel.subscribed)
  }
  return pusher
}

async function publish(times, channel = 'private-orders') {
  for (let i = 0; i < times; i++) await publisher.trigger(channel, 'OrderShipped', { id: i, address: 'Elm Street' })
}

const main = page => page.getByRole('main')
const row = (page, text) => main(page).getByRole('row').filter({ hasText: text })

test('the token is asked for, and a wrong one is refused', limit, async t => {
  const context = await browser.newContext(DESKTOP)
  t.after(() => context.close())
  const page = await open(context, inspector)
  await page.getByLabel('Admin token').fill('something else altogether')
  await page.getByRole('button', { name: 'Look' }).click()
  await page.getByRole('alert').getByText('the token is missing or wrong').waitFor()
  await page.getByLabel('Admin token').fill(adminToken)
  await page.getByRole('button', { name: 'Look' }).click()
  await page.getByRole('status').getByText('healthy').waitFor()
  assert.deepEqual(page.mistakes, [])
})

test('it opens with a slash at the end, too', limit, async t => {
  const context = await browser.newContext(DESKTOP)
  t.after(() => context.close())
  const page = await open(context, `${inspector}/`)
  await page.getByLabel('Admin token').waitFor()
  assert.equal(page.url().split('#')[0], inspector)
})

test('the overview shows this node, its loops and its rates', limit, async t => {
  const clients = await Promise.all(['ann', 'bob', 'zoe'].map(user => join(t, user, 'private-orders', 'presence-lobby')))
  const page = await visit(t)
  await row(page, 'this node').waitFor()
  await row(page, 'app-id').waitFor()
  assert.ok(await main(page).getByRole('table', { name: 'Event loops' }).getByText('answers').count() > 0)
  const messages = page.getByRole('img', { name: /^Messages\./ })
  await until('the chart has a rate', async () => {
    await publish(10)
    return /sent: now [1-9]/.test(await messages.getAttribute('aria-label'))
  })
  assert.equal(clients.length, 3)
})

test('a connection is found by user, channel, address and socket id, and closed', limit, async t => {
  const zoe = await join(t, 'zoe', 'presence-attic', 'private-orders')
  const id = zoe.connection.socket_id
  const page = await visit(t, 'connections')
  for (const [by, text] of [['user id', '3'], ['channel', 'attic'], ['IP address', '127.0.0.'], ['socket id', id], ['anything', id]]) {
    await page.getByLabel('Look in').selectOption(by)
    await page.getByLabel('Search').fill(text)
    await page.getByRole('button', { name: 'Search' }).click()
    await row(page, id).waitFor()
  }
  await page.getByLabel('Look in').selectOption('user id')
  await page.getByLabel('Search').fill('nobody')
  await page.keyboard.press('Enter')
  await main(page).getByText('No connection fits.').waitFor()

  await page.getByLabel('Search').fill('3')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: `Close ${id}` }).click()
  await until('the connection is closed', () => zoe.connection.state !== 'connected')
})

test('a channel is shown with its members, and leads to its connections', limit, async t => {
  const ann = await join(t, 'ann', 'presence-cellar')
  await join(t, 'bob', 'presence-cellar')
  const page = await visit(t, 'channels')
  await page.getByLabel('Search').fill('cellar')
  await page.keyboard.press('Enter')
  await row(page, 'presence-cellar').getByRole('link').click()
  const members = page.getByRole('list', { name: 'Members' })
  await members.getByText('2', { exact: true }).waitFor()
  assert.deepEqual(await members.getByRole('listitem').allTextContents(), ['1', '2'])
  await page.getByRole('link', { name: 'Its connections here' }).click()
  await row(page, ann.connection.socket_id).waitFor()
})

test('names are text, whatever is in them', limit, async t => {
  const name = '<img src=x onerror="document.title=1"><b>x</b>'
  const ann = await join(t, 'ann', name)
  const page = await visit(t, 'channels')
  await row(page, name).getByRole('link').click()
  await page.getByRole('heading', { name }).waitFor()
  await page.getByRole('link', { name: 'Its connections here' }).click()
  await row(page, ann.connection.socket_id).getByText(name).waitFor()
  await page.goto(`${inspector}#/tap?${new URLSearchParams({ app: app.id, channel: name })}`)
  await page.getByRole('button', { name: 'Start' }).click()
  await page.getByRole('status').getByText(`Following ${name}`).waitFor()
  assert.equal(await page.locator('img').count(), 0)
  assert.match(await page.title(), /inspector/)
})

test('a tap shows what passes, without data or signatures', limit, async t => {
  const ann = await join(t, 'ann', 'presence-lobby')
  const page = await visit(t, `tap?app=${app.id}&socket=${ann.connection.socket_id}`)
  const log = page.getByRole('log')
  await page.getByRole('button', { name: 'Start' }).click()
  await page.getByRole('status').getByText('Following').waitFor()

  ann.subscribe('private-orders')
  await log.locator('[data-event="pusher:subscribe"]').getByText(`auth ${app.key}:••••`).waitFor()
  await log.locator('[data-event="pusher_internal:subscription_succeeded"]').waitFor()
  await publish(1)
  await log.locator('[data-event="OrderShipped"]').getByText('data hidden').waitFor()
  await join(t, 'bob', 'presence-lobby')
  await log.locator('[data-event="pusher_internal:member_added"]').getByText('user 2').waitFor()
  const text = await log.textContent()
  assert.doesNotMatch(text, /Elm Street|bob\.example|[0-9a-f]{64}/)

  await page.getByRole('button', { name: 'Stop' }).click()
  await page.getByLabel('Follow a').selectOption('channel')
  await page.getByLabel('Name or socket id').fill('private-orders')
  await page.getByLabel('Show the data of events').check()
  await page.getByRole('button', { name: 'Start' }).click()
  await page.getByRole('status').getByText('Following private-orders').waitFor()
  await publish(1)
  await log.getByText('Elm Street').waitFor()
})

test('a test event reaches a client', limit, async t => {
  const bob = await join(t, 'bob', 'private-orders')
  const heard = new Inbox('the test event')
  bob.channel('private-orders').bind('test', heard.put)
  const page = await visit(t, 'publish')
  await page.getByLabel('Channel').fill('private-orders')
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByRole('status').getByText('test was published to private-orders').waitFor()
  assert.deepEqual(await heard.next(), { from: 'inspector' })
})

test('it says why a signature is refused', limit, async t => {
  const page = await visit(t, 'auth')
  await page.getByLabel('Socket id').fill('1234.1234')
  await page.getByLabel('Channel').fill('private-foobar')
  await page.getByLabel('Auth', { exact: true }).fill(`${app.key}:${'0'.repeat(62)}`)
  await page.getByRole('button', { name: 'Explain' }).click()
  await page.getByText('This server refuses it.').waitFor()
  await page.getByText('62 digits, and not 64').waitFor()
  await page.getByText('1234.1234:private-foobar', { exact: true }).waitFor()
})

// axe is installed with the page of the messaging app.
async function findAxe(t) {
  const require = createRequire(new URL('../../cmd/messaging/web/', import.meta.url))
  try {
    return await readFile(require.resolve('axe-core/axe.min.js'), 'utf8')
  } catch (error) {
    if (process.env.CI === 'true') throw error
    return t.skip('axe-core is not installed: make web')
  }
}

test('it can be used by everybody, in light, in dark and on a phone', { timeout: 120_000 }, async t => {
  const axe = await findAxe(t)
  if (!axe) return
  await join(t, 'ann', 'presence-lobby', 'private-orders')
  for (const options of [{ colorScheme: 'light' }, { colorScheme: 'dark' }, { ...PHONE, colorScheme: 'light' }]) {
    const page = await visit(t, 'overview', options)
    await row(page, 'this node').waitFor()
    for (const view of ['Overview', 'Connections', 'Channels', 'Tap', 'Publish', 'Auth']) {
      await page.getByRole('link', { name: view, exact: true }).click()
      if (['Connections', 'Channels'].includes(view)) await row(page, 'presence-lobby').first().waitFor()
      await page.evaluate(`document.activeElement.blur(); ${axe}; undefined`)
      const { violations } = await page.evaluate(() => window.axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      }))
      const found = violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target} ${failureSummary}`))
      assert.deepEqual(found, [], `${view}, ${JSON.stringify(options)}`)
      const width = await page.evaluate(() => document.documentElement.scrollWidth)
      assert.ok(width <= page.viewportSize().width, `${view} is ${width} pixels wide`)
    }
  }
})

// The picture of the documentation needs a while, so that there is something to see in the charts.
test('it is pictured', { timeout: 120_000 }, async t => {
  if (!screenshots) return t.skip('REVERB_SCREENSHOTS is not set')
  const page = await visit(t)
  const users = ['ann', 'bob', 'zoe']
  const clients = []
  for (let second = 0; second < 45; second++) {
    if (second % 4 < 3) clients.push(await join(t, users[second % 3], 'presence-lobby', 'private-orders', `private-orders.${second}`))
    if (second % 9 === 8) clients.shift().disconnect()
    await publish(3 + Math.round(12 * (1 + Math.sin(second / 5))))
    await new Promise(resolve => setTimeout(resolve, 700))
  }
  await screenshot(page, 'inspector')
  for (const view of ['Connections', 'Channels', 'Publish', 'Auth']) {
    await page.getByRole('link', { name: view, exact: true }).click()
    if (['Connections', 'Channels'].includes(view)) await row(page, 'presence-lobby').first().waitFor()
    await screenshot(page, `inspector-${view.toLowerCase()}`)
  }
  const followed = clients.at(-1)
  await page.goto(`${inspector}#/tap?app=${app.id}&socket=${followed.connection.socket_id}`)
  await page.getByRole('button', { name: 'Start' }).click()
  await page.getByRole('status').getByText('Following').waitFor()
  followed.subscribe('private-invoices')
  followed.subscribe('private-forged')
  await publish(4)
  await join(t, 'bob', 'presence-lobby')
  await page.getByRole('log').getByText('private-forged').first().waitFor()
  await page.getByRole('log').getByText('data hidden').first().waitFor()
  await screenshot(page, 'inspector-tap')
})
