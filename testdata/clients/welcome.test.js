// The page that the server shows at / while it runs a throw-away app.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, open, screenshot } from './browser.js'
import { control, server } from './settings.js'
import { RECONNECTING, limit, restartLimit } from './wait.js'

const welcome = `http://${server.host}:${server.port}/`

let browser
before(async () => { browser = await launch() })
after(() => browser?.close())

const DESKTOP = { viewport: { width: 1280, height: 800 } }
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }

// newContext makes a browser that fails the test when the page asks anybody else for anything.
async function newContext(t, options) {
  const context = await browser.newContext(options)
  t.after(() => context.close())
  context.on('request', request => {
    if (!request.url().startsWith(welcome) && !request.url().startsWith('data:')) context.strangers.push(request.url())
  })
  context.strangers = []
  return context
}

// visit opens the page and waits until its first channel is subscribed.
async function visit(context) {
  const page = await open(context, welcome)
  await page.getByRole('log', { name: 'Messages' }).getByText('subscribed').waitFor()
  return page
}

function state(page) {
  return page.getByRole('status', { name: 'Connection' })
}

async function socketID(page) {
  return page.locator('#socket').textContent()
}

async function write(page, text) {
  await page.getByLabel('Message', { exact: true }).pressSequentially(text)
}

function messages(page) {
  return page.getByRole('log', { name: 'Messages' })
}

async function sees(page, text) {
  await messages(page).getByText(text).waitFor()
}

test('what is written in one tab shows in the other', limit, async t => {
  const context = await newContext(t, { ...DESKTOP, colorScheme: 'light' })
  const one = await visit(context)
  const two = await visit(context)
  assert.equal(await one.title(), 'reverb-go')
  assert.equal(await state(one).textContent(), 'connected')
  assert.match(await socketID(one), /^\d+\.\d+$/)

  await write(one, 'Hello from the first tab')
  await two.getByRole('status', { name: 'Who is typing' }).getByText(`${await socketID(one)} is typing`).waitFor()
  await one.keyboard.press('Enter')
  await sees(two, 'Hello from the first tab')

  await write(two, 'And hello from the second: <b>Zoë</b> 🦊')
  await two.getByRole('button', { name: 'Send' }).click()
  await sees(one, 'And hello from the second: <b>Zoë</b> 🦊')

  const frames = two.getByRole('list', { name: 'Frames' })
  await frames.getByText('pusher:connection_established').waitFor()
  await frames.getByText('"event":"pusher:subscribe"').waitFor()
  await frames.getByText('client-message').first().waitFor()
  await screenshot(one, 'welcome-one')
  await screenshot(two, 'welcome-two')
  assert.deepEqual([...one.mistakes, ...two.mistakes, ...context.strangers], [])
})

test('another channel is subscribed to and left', limit, async t => {
  const context = await newContext(t, { ...DESKTOP, colorScheme: 'dark' })
  const one = await visit(context)
  const two = await visit(context)
  for (const page of [one, two]) {
    await page.getByLabel('Channel name').fill('kitchen')
    await page.getByRole('button', { name: 'Subscribe' }).click()
    await sees(page, 'subscribed')
  }

  await write(one, 'Dinner is ready')
  await one.keyboard.press('Enter')
  await sees(two, 'Dinner is ready')
  await one.getByRole('button', { name: 'playground', exact: true }).click()
  await write(one, 'Is anybody left?')
  await one.keyboard.press('Enter')
  await two.getByRole('button', { name: 'playground (1)' }).waitFor()
  await screenshot(two, 'welcome-channels-dark')

  await two.getByRole('button', { name: 'Leave kitchen' }).click()
  await sees(two, 'Is anybody left?')
  assert.equal(await two.getByRole('button', { name: 'kitchen', exact: true }).count(), 0)

  await two.getByLabel('Channel name').fill('private-orders')
  await two.keyboard.press('Enter')
  await sees(two, 'not subscribed: Connection is unauthorized')
  assert.ok(await two.getByRole('button', { name: 'Send' }).isDisabled())
  assert.deepEqual([...one.mistakes, ...two.mistakes, ...context.strangers], [])
})

test('the page fits a phone', limit, async t => {
  for (const colorScheme of ['light', 'dark']) {
    const page = await visit(await newContext(t, { ...PHONE, colorScheme }))
    await write(page, 'A message that is long enough to need more than one line on a narrow screen')
    await page.keyboard.press('Enter')
    await sees(page, 'A message that is long enough')

    const width = await page.evaluate(() => document.documentElement.scrollWidth)
    assert.ok(width <= PHONE.viewport.width, `the page is ${width} pixels wide`)
    await screenshot(page, `welcome-phone-${colorScheme}`)
  }
})

test('the page says so when the server is gone, and what to do when it is back', restartLimit, async t => {
  if (!control) return t.skip('REVERB_CONTROL_URL is not set')
  const page = await visit(await newContext(t, { ...DESKTOP, colorScheme: 'light' }))
  const before = await socketID(page)

  const restarted = await fetch(`${control}/restart`, { method: 'POST' })
  assert.equal(restarted.status, 200, await restarted.text())

  // The new throw-away app has a key of its own, unless the server remembers the old one.
  const reload = page.getByRole('button', { name: 'Reload' })
  const back = page.locator('#state[data-state=connected]')
  await page.waitForFunction(old => document.getElementById('socket').textContent !== old, before)
  await reload.or(back).waitFor({ timeout: RECONNECTING })
  if (await reload.isVisible()) {
    await screenshot(page, 'welcome-refused')
    await reload.click()
  }
  await back.waitFor({ timeout: RECONNECTING })
  await sees(page, 'subscribed')
  assert.notEqual(await socketID(page), before)
  assert.deepEqual(page.mistakes, [])
})
