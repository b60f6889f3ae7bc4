// People with browsers, and programs with tokens.

import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { launch, open } from '../../../testdata/clients/browser.js'
import { until as wait } from '../../../testdata/clients/wait.js'

const env = process.env

// PATIENCE is how long a condition may take to become true. Two or three browsers, the databases and other tests share
// the processor, and it only decides how long a failing test takes.
export const PATIENCE = 30_000
export const limit = { timeout: 180_000 }

export const until = (what, condition, patience = PATIENCE) => wait(what, condition, patience)

export const url = env.MESSAGING_URL ?? 'http://127.0.0.1:8000'
// control is where the servers can be killed and started again.
export const control = env.MESSAGING_CONTROL_URL ?? ''
// parts are the processes that can die by themselves.
export const parts = (env.MESSAGING_PARTS ?? 'app').split(',')
const password = env.MESSAGING_DEMO_PASSWORD ?? 'password'

// phone has the options of a browser on one.
export const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true }

let browser
before(async () => { browser = await launch() })
after(() => browser?.close())

// tell has processes killed or started, or another command of the app run.
export async function tell(what) {
  const answer = await fetch(`${control}/${what}`, { method: 'POST' })
  assert.equal(answer.status, 200, await answer.text())
}

// visit opens the page in a browser of its own where the user has signed in. Options are those of a Playwright context.
export async function visit(t, name, { path = '', live = 'connected', ...options } = {}) {
  const page = await guest(t, options, path)
  await page.getByLabel('User name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('.layout').waitFor()
  if (live) await connection(page, live)
  return page
}

// guest opens the page where nobody has signed in.
export async function guest(t, options = {}, path = '') {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...options })
  t.after(() => context.close())
  const page = await open(context, url + path)
  page.setDefaultTimeout(PATIENCE)
  t.after(() => assert.deepEqual(page.mistakes, []))
  return page
}

// horizon is the dashboard of the queues, to which an admin is led by the page.
export async function horizon(t, options = {}) {
  const page = await visit(t, 'admin', options)
  await page.getByRole('button', { name: 'Account' }).click()
  await page.getByRole('menuitem', { name: 'Queues' }).click()
  await page.getByRole('heading', { name: 'Queues' }).waitFor()
  return page
}

// madeUp has the dashboard show a day that never was: nobody can wait for one.
export function madeUp(page) {
  const now = Math.floor(Date.now() / 300_000) * 300_000
  const wave = (n, phase) => 1 + Math.sin(n / 40 + phase) * 0.7 + Math.sin(n / 7 + phase) * 0.15
  const snapshots = Array.from({ length: 288 }, (_, n) => ['broadcasts', 'notifications', 'default'].map((queue, i) => ({
    queue, at: new Date(now - (287 - n) * 300_000).toISOString(), size: 0, processed: 1, failed: 0,
    throughput_per_min: 120 / (1 + 3 * i) * wave(n, i), runtime_ms_avg: 4 * wave(n, i + 1), wait_ms: 12 * wave(n, i + 2),
  }))).flat()
  return page.route('**/horizon/api/snapshots*', route => route.fulfill({ json: { snapshots } }))
}

// connection waits for a state of the connection. A state is an attribute, since there is little room for words.
export function connection(page, state, timeout = PATIENCE) {
  return page.locator(`[data-connection="${state}"]`).waitFor({ state: 'attached', timeout })
}

// Program talks to the app without a browser.
export class Program {
  constructor(token, user) {
    this.token = token
    this.user = user
  }

  static async signIn(username) {
    const config = await fetch(`${url}/api/messages/config`)
    const { csrf_token: token } = await config.json()
    const cookies = config.headers.getSetCookie().map(cookie => cookie.split(';')[0]).join('; ')
    const answer = await fetch(`${url}/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-CSRF-TOKEN': token, Cookie: cookies },
      body: JSON.stringify({ username, password, device_name: 'test' }),
    })
    const body = await answer.json()
    assert.equal(answer.status, 200, JSON.stringify(body))
    return new Program(body.token, body.user)
  }

  async request(method, path, body) {
    const answer = await fetch(url + path, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, Accept: 'application/json', ...body && { 'Content-Type': 'application/json' } },
      body: body && JSON.stringify(body),
    })
    return {
      status: answer.status,
      body: answer.status === 204 ? null : await answer.json(),
      wait: Number(answer.headers.get('Retry-After')),
    }
  }

  // must is a request that succeeds. Tests write faster than people may, so it waits when it is told to.
  async must(method, path, body) {
    const answer = await this.request(method, path, body)
    if (answer.status === 429) {
      await new Promise(resolve => setTimeout(resolve, answer.wait * 1000))
      return this.must(method, path, body)
    }
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  // start makes a conversation with the others. A title makes it a group, and another one each time.
  async start(others, title, body) {
    const { conversation } = await this.must('POST', '/api/messages/conversations', {
      participant_ids: others.map(({ user }) => user.id), title, ...body && { body },
    })
    return conversation
  }

  say(conversation, body) {
    return this.must('POST', `/api/messages/${conversation.id}`, { body })
  }

  async messages(conversation) {
    const { messages } = await this.must('GET', `/api/messages/${conversation.id}?limit=100`)
    return messages
  }
}

// enter opens a conversation by its line in the list.
export async function enter(page, conversation) {
  await page.locator(`[data-conversation="${conversation.id}"]`).click()
  await page.locator('.messages ol').waitFor({ state: 'attached' })
}

// write fills the composer without sending.
export async function write(page, text) {
  await page.locator('.composer textarea').fill(text)
}

export async function send(page, text) {
  await write(page, text)
  await page.locator('.composer textarea').press('Enter')
}

// message is the row with this text.
export function message(page, text) {
  return page.locator('.message', { has: page.getByText(text, { exact: true }) })
}

// unread is the badge of a conversation in the list.
export function unread(page, conversation, count) {
  return page.locator(`[data-conversation="${conversation.id}"] [data-unread="${count}"]`)
}

// unreadTotal is what the badge of the whole inbox says.
export async function unreadTotal(page) {
  const badge = page.locator('[data-unread-total]')
  return await badge.count() ? Number(await badge.getAttribute('data-unread-total')) : 0
}

// held is the list of messages as the page holds it, by all their names.
export function held(page) {
  return page.locator('.message').evaluateAll(rows => rows.map(({ dataset }) => ({
    id: Number(dataset.id), uuid: dataset.uuid, client_temp_id: dataset.clientTempId ?? null,
  })))
}
