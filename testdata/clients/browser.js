// Chromium, and a page in it.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium as playwright } from 'playwright-core'
import { chromium, screenshots } from './settings.js'
import { Inbox, PATIENCE } from './wait.js'

// launch starts a browser that talks to nobody of its own accord.
export function launch() {
  return playwright.launch({
    executablePath: chromium,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-quic',
      '--no-first-run',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

// open shows the address in a new tab. Script errors of the page are kept in page.mistakes, the text of every frame it
// receives in page.received.
export async function open(context, url) {
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE)
  page.mistakes = []
  page.received = new Inbox('a frame')
  page.on('pageerror', error => page.mistakes.push(error))
  page.on('websocket', socket => socket.on('framereceived', ({ payload }) => page.received.put(payload)))
  await page.goto(url)
  return page
}

// frame returns the next frame that the page received which contains the text.
export async function frame(page, text) {
  for (;;) {
    const payload = await page.received.next()
    if (payload.includes(text)) return payload
  }
}

// screenshot keeps a picture for people, if they said where.
export async function screenshot(page, name) {
  if (!screenshots) return
  await mkdir(screenshots, { recursive: true })
  await page.screenshot({ path: join(screenshots, `${name}.png`) })
}
