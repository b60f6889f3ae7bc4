import assert from 'node:assert/strict'
import { test } from 'node:test'
import { same } from '../src/model/same.ts'

const run = () => {}
const cases: [string, unknown, unknown, boolean][] = [
  ['numbers', 1, 1, true],
  ['a number and its text', 1, '1', false],
  ['nothing and an object', null, {}, false],
  ['functions', run, () => {}, false],
  ['objects', { a: [1, { b: null }], run }, { run, a: [1, { b: null }] }, true],
  ['another part', { a: [1, { b: null }] }, { a: [1, { b: 0 }] }, false],
  ['another name', { a: undefined }, { b: undefined }, false],
  ['one part more', [1], [1, 2], false],
]
for (const [name, a, b, want] of cases) {
  test(`same: ${name}`, () => assert.deepEqual([same(a, b), same(b, a)], [want, want]))
}
