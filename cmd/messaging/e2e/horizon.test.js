// What an admin sees of the queues.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { calm, check } from './axe.js'
import { horizon, limit, madeUp, parts, phone, Program, tell, until } from './people.js'

const [alice, bob, admin] = await Promise.all(['alice', 'bob', 'admin'].map(Program.signIn))

test('the queues, their workers and their jobs are shown', limit, async t => {
  const page = await horizon(t)
  const room = await alice.start([bob], 'Queued')
  const { id } = await alice.say(room, 'by way of a queue')
  await page.locator('#status.running').waitFor()
  for (const name of ['broadcasts', 'notifications', 'default']) {
    await page.getByRole('row', { name: new RegExp(`^${name} .*[1-9]$`) }).waitFor() // the last column counts workers
    await page.locator('#workers li', { hasText: name }).waitFor()
  }
  await page.locator('#jobs li', { hasText: `"message_id":${id}` }).filter({ hasText: 'BroadcastMessage' }).waitFor()
  await page.locator('#queue').selectOption('notifications')
  await page.locator('#jobs li', { hasText: `"message_id":${id}` }).filter({ hasText: 'NotifyOffline' }).waitFor()
  await page.locator('#jobs li', { hasText: 'BroadcastMessage' }).waitFor({ state: 'detached' })
})

test('whoever is no admin is refused', limit, async () => {
  for (const path of ['/horizon', '/horizon/api/stats', '/horizon/api/jobs/failed']) {
    assert.equal((await alice.request('GET', path)).status, 403, path)
  }
})

test('a job that failed waits to be retried or forgotten', limit, async t => {
  if (!parts.includes('websockets')) return t.skip('the websocket server is part of the app')
  const page = await horizon(t)
  await tell('kill?part=websockets')
  t.after(() => tell('start'))
  const room = await alice.start([bob], 'Failing')
  await alice.say(room, 'to nobody')
  const failed = async () => (await admin.must('GET', '/horizon/api/jobs/failed')).jobs.map(({ type }) => type)
  const want = ['BroadcastMessage', 'BroadcastNotification', ...Array(4).fill('BroadcastSummary')]
  await until('all that could not be told has failed', async () => (await failed()).length === want.length)
  assert.deepEqual((await failed()).sort(), want)

  await page.locator('#kind').selectOption('failed')
  const jobs = page.locator('#jobs li')
  const message = jobs.filter({ hasText: 'BroadcastMessage' })
  await message.locator('.error', { hasText: 'publish message.created on private-conversation.' }).waitFor()
  await tell('start')
  await message.getByRole('button', { name: 'Retry BroadcastMessage' }).click()
  await message.waitFor({ state: 'detached' })
  for (let left = want.length - 2; left >= 0; left--) {
    await jobs.first().getByRole('button', { name: /^Forget / }).click()
    await until(`${left} are left`, async () => await page.getByRole('button', { name: /^Forget / }).count() === left)
  }
  await page.getByText('No job has failed.').waitFor()
  assert.deepEqual(await failed(), [])
})

test('snapshots are charted', limit, async t => {
  const page = await horizon(t)
  const point = page.locator('#chart svg.chart circle').first() // there already, if the clock has passed a multiple of five minutes
  await page.getByText('Nothing yet. A snapshot is taken every five minutes').or(point).waitFor()
  if (parts.includes('work')) {
    await tell('command?name=snapshot')
    await page.reload()
    await point.waitFor()
  }
  await madeUp(page)
  await page.reload()
  const chart = page.getByRole('img', { name: /^Chart of jobs per minute\. broadcasts: now .* at most / })
  await chart.waitFor()
  assert.equal(await chart.locator('path.series').count(), 3)
  await page.locator('#metric').selectOption('wait_ms')
  await page.getByRole('img', { name: /^Chart of wait\..* ms/ }).waitFor()
  await page.locator('svg.chart').hover()
  await page.locator('.readout', { hasText: /broadcasts [\d.]+ ms · .*default/ }).waitFor()
})

for (const [name, options] of Object.entries({ light: { colorScheme: 'light' }, dark: { colorScheme: 'dark' }, phone })) {
  test(`everybody can use it: ${name}`, limit, async t => {
    const page = await horizon(t, options)
    await madeUp(page)
    await page.reload()
    await page.locator('svg.chart').waitFor()
    await page.locator('#status.running').waitFor()
    await calm(page)
    await check(page, name)
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), page.viewportSize().width)
  })
}

test('a server that is away is said to be', limit, async t => {
  const page = await horizon(t)
  await page.route('**/horizon/api/**', route => route.abort())
  await page.getByText('The server cannot be reached. Trying again…').waitFor()
  await page.unroute('**/horizon/api/**')
  await page.locator('#problem').waitFor({ state: 'hidden' })
})
