// What passes on one channel or connection.

import { get, post } from './api.js'
import { newAppChoice } from './apps.js'
import { bytes, count, empty, field, h, tell } from './dom.js'

// KEPT is how many messages stay on the page.
const KEPT = 500

export function newTap(app) {
  const target = h('input', { id: 'tap-target', autocomplete: 'off', spellcheck: 'false', required: true })
  const kind = h('select', { id: 'tap-kind' }, h('option', { value: 'channel' }, 'channel'), h('option', { value: 'socket' }, 'connection'))
  const owner = newAppChoice(app, 'tap-app')
  const data = h('input', { id: 'tap-data', type: 'checkbox' })
  const filter = h('input', { id: 'tap-filter', type: 'search', placeholder: 'event, channel or user', input: () => sift() })
  const start = h('button', { class: 'primary' }, 'Start')
  const summary = h('p', { class: 'summary', role: 'status' }, 'Nothing is followed.')
  const problem = h('p', { class: 'bad', role: 'alert', hidden: true })
  const list = h('ol')
  const pane = h('div', { class: 'messages', role: 'log', 'aria-label': 'Messages', tabindex: '0' }, list)
  let tap = null // { id, name, seen, dropped }

  const form = h('form', {
    class: 'search',
    submit: async event => {
      event.preventDefault()
      if (tap) return end()
      await begin()
    },
  }, field('Follow a', kind), field('Name or socket id', target), field('App', owner.element), start)

  async function begin() {
    tell(problem, null)
    list.replaceChildren()
    const name = target.value.trim()
    try {
      const { id } = await post('taps', { app: owner.value, [kind.value]: name, data: data.checked })
      tap = { id, name, seen: 0, dropped: 0 }
      start.textContent = 'Stop'
      summarize()
    } catch (error) {
      tell(problem, error)
    }
  }

  async function end(text) {
    const { id, name, seen } = tap
    tap = null
    start.textContent = 'Start'
    summary.textContent = text ?? `${name} is followed no more, after ${count(seen)} messages.`
    await post('tap/end', { id }).catch(() => {}) // it ends by itself
  }

  async function read() {
    const { events, dropped } = await get('tap', { id: tap.id })
    if (!tap) return
    const atEnd = pane.scrollTop + pane.clientHeight >= pane.scrollHeight - 8
    list.append(...events.map(line))
    while (list.children.length > KEPT) list.firstChild.remove()
    if (dropped > 0) list.append(h('li', { class: 'bad' }, `${count(dropped)} more came faster than they are shown, and were dropped.`))
    sift()
    if (atEnd) pane.scrollTop = pane.scrollHeight
    tap.seen += events.length + dropped
    tap.dropped += dropped
    summarize()
  }

  function summarize() {
    const parts = [`Following ${tap.name}`, `${count(tap.seen)} messages`]
    if (tap.dropped > 0) parts.push(`${count(tap.dropped)} of them dropped`)
    summary.textContent = parts.join(' · ')
  }

  function sift() {
    const wanted = filter.value.toLowerCase()
    for (const item of list.children) item.hidden = wanted !== '' && !item.textContent.toLowerCase().includes(wanted)
  }

  const checkbox = h('label', { class: 'check', for: 'tap-data' }, data,
    h('span', {}, 'Show the data of events', h('small', {}, 'It may be personal. That somebody looks is written to the server’s log.')))
  return {
    element: h('section', { class: 'card' }, h('h2', {}, 'Follow a channel or a connection'), form, checkbox, problem,
      h('div', { class: 'search' }, summary, field('Show only', filter)), pane),
    open(parameters) {
      owner.refresh(parameters.app)
      if (!parameters.channel && !parameters.socket) return
      kind.value = parameters.socket ? 'socket' : 'channel'
      target.value = parameters.socket ?? parameters.channel
      if (tap && tap.name !== target.value) end()
    },
    async tick() {
      owner.refresh()
      if (!tap) {
        if (list.children.length === 0) list.replaceChildren(h('li', {}, empty('Messages appear here as they pass: names and sizes, without data unless it is asked for.')))
        return
      }
      try {
        await read()
      } catch (error) {
        if (error.status !== 404) throw error
        await end(`${tap.name} is followed no more: ${error.message}.`)
      }
    },
  }
}

// line is a message, as far as the server shows it.
function line({ at, what, event, channel, user, auth, size, data, cut, hidden, fault }) {
  const time = new Date(at)
  return h('li', { 'data-event': event || what },
    h('time', { datetime: at }, time.toLocaleTimeString('en-GB') + '.' + String(time.getMilliseconds()).padStart(3, '0')),
    h('span', { class: `what what-${what.split(' ')[0]}` }, what),
    h('span', { class: 'event' }, event ? h('b', {}, event) : '',
      channel ? h('code', {}, channel) : '', user ? h('span', {}, `user ${user}`) : '', auth ? h('code', { class: 'faint' }, `auth ${auth}`) : '',
      fault ? h('span', { class: 'bad' }, fault) : '',
      hidden > 2 ? h('span', { class: 'faint hidden-data' }, `data hidden, ${bytes(hidden)}`) : ''),
    h('span', { class: 'faint size' }, size > 0 ? bytes(size) : ''),
    data ? h('pre', {}, cut ? `${data} …` : data) : '')
}
