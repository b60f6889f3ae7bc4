// What axe finds wrong with a page.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

const require = createRequire(new URL('../web/', import.meta.url))
const axe = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8')

// check has axe look for what people with disabilities could not use.
export async function check(page, what) {
  await page.evaluate(`${axe}; undefined`)
  const { violations } = await page.evaluate(() => window.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }))
  const found = violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target} ${failureSummary}`))
  assert.deepEqual(found, [], what)
}

// calm waits for what moves: axe would see colours on their way.
export function calm(page) {
  return page.evaluate(() => Promise.all(document.getAnimations().filter(({ effect }) => effect.getTiming().iterations !== Infinity)
    .map(({ finished }) => finished.catch(() => {}))))
}
