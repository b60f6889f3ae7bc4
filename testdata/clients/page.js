// The page with laravel-echo and pusher-js, and what tests do with it in a browser.

import { readFile } from 'node:fs/promises'
import { build } from 'esbuild'
import { open } from './browser.js'
import { app, server } from './settings.js'

export const CHANNELS = ['orders', 'private-orders', 'private-encrypted-orders', 'presence-room']

// pageFiles are what the backend serves.
export async function pageFiles() {
  return {
    '/': ['text/html; charset=utf-8', await readFile(new URL('page/index.html', import.meta.url), 'utf8')],
    '/page.js': ['text/javascript; charset=utf-8', await bundle()],
  }
}

// bundle sets the same variables that Vite takes from .env.
async function bundle() {
  const settings = {
    VITE_REVERB_APP_KEY: app.key,
    VITE_REVERB_HOST: server.host,
    VITE_REVERB_PORT: String(server.port),
    VITE_REVERB_SCHEME: 'http',
  }
  const { outputFiles } = await build({
    entryPoints: [new URL('page/main.js', import.meta.url).pathname],
    bundle: true,
    write: false,
    define: Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [`import.meta.env.${name}`, JSON.stringify(value)])),
  })
  return outputFiles[0].text
}

// visitPage opens the page in a browser of its own where the user has signed in, and waits for all its channels.
export async function visitPage(t, browser, backend, user) {
  const context = await browser.newContext()
  t.after(() => context.close())
  await context.addCookies([{ name: 'user', value: user, url: backend }])
  const page = await open(context, backend)
  for (const channel of CHANNELS) await logged(page, `${channel}: subscribed`)
  return page
}

// logged waits for the nth line with this text.
export function logged(page, text, { nth = 1, timeout } = {}) {
  return page.locator('#log li').getByText(text, { exact: true }).nth(nth - 1).waitFor({ timeout })
}

// shows waits until the element has this text and no more.
export function shows(page, id, text) {
  return page.locator(`#${id}:text-is("${text}")`).waitFor()
}
