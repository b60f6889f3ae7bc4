// Looking for connections of this node.

import { get, post } from './api.js'
import { newAppChoice } from './apps.js'
import { bytes, count, empty, field, h, since, table, tell } from './dom.js'

// EVERY is how many seconds a list is good for.
const EVERY = 3

const choices = [['', 'anything'], ['user', 'user id'], ['channel', 'channel'], ['ip', 'IP address'], ['socket', 'socket id']]

export function newConnections(app) {
  const text = h('input', { id: 'connection-text', type: 'search', autocomplete: 'off', spellcheck: 'false', placeholder: 'all connections' })
  const by = h('select', { id: 'connection-by' }, choices.map(([value, name]) => h('option', { value }, name)))
  const owner = newAppChoice(app, 'connection-app', true)
  const summary = h('p', { class: 'summary', role: 'status' })
  const problem = h('p', { class: 'bad', role: 'alert', hidden: true })
  const list = h('div')
  let age = 0
  let query = {} // the one that was asked for, whatever is being typed

  const search = async () => {
    age = 0
    try {
      const found = await get('connections', query)
      tell(problem, null)
      summarize(summary, found)
      list.replaceChildren(connectionTable(found.connections, actions))
    } catch (error) {
      tell(problem, error)
      if (error.status !== 422) throw error
    }
  }
  const actions = newActions(app, search, problem)

  const form = h('form', { class: 'search', submit: event => { event.preventDefault(); remember() } },
    field('Search', text), field('Look in', by), field('App', owner.element), h('button', { class: 'primary' }, 'Search'))
  const remember = () => {
    query = { q: text.value, by: by.value, app: owner.value }
    app.open('connections', query)
    return search()
  }
  return {
    element: h('section', { class: 'card' }, h('h2', {}, 'Connections of this node'), form, problem, summary, list),
    open(parameters) {
      text.value = parameters.q ?? ''
      by.value = parameters.by ?? ''
      owner.refresh(parameters.app ?? '')
      query = { q: text.value, by: by.value, app: parameters.app ?? '' }
      age = EVERY
    },
    async tick() {
      owner.refresh()
      // A list is not replaced under somebody who goes through it by keyboard.
      if (age++ >= EVERY && !list.contains(document.activeElement)) await search()
    },
  }

  function connectionTable(connections, act) {
    if (connections.length === 0) return empty('No connection fits.')
    const columns = [['Socket id'], ['User'], ['Address'], ['Channels', 'wide'], ['Open', 'number'], ['Heard', 'number'], ['Queued', 'number'], ['Loop', 'number'], ['Actions']]
    const rows = connections.map(c => [
      h('code', {}, c.socket), c.user || memberIDs(c) || '–', c.addr || '–', channelLinks(c), since(c.opened, app.now),
      `${since(c.last_seen, app.now)} ago`, bytes(c.queued), `${c.loop}${c.stream ? ' (stream)' : ''}${c.compressed ? ' (compressed)' : ''}`, act(c),
    ])
    if (app.ids.length > 1) {
      columns.splice(3, 0, ['App'])
      rows.forEach((row, i) => row.splice(3, 0, connections[i].app))
    }
    return table('Connections', columns, rows)
  }

  function channelLinks(c) {
    if (c.subscriptions === 0) return '–'
    const links = c.channels.map(({ name }) => h('a', { href: `#/channels?${new URLSearchParams({ app: c.app, name })}` }, name))
    const more = c.subscriptions - c.channels.length
    return h('span', { class: 'links' }, links, more > 0 ? h('span', { class: 'faint' }, `and ${count(more)} more`) : '')
  }
}

const memberIDs = c => [...new Set(c.channels.map(({ user }) => user).filter(Boolean))].join(', ')

function summarize(element, { total, looked, partial, connections }) {
  const parts = [`${count(total)} of ${count(looked)} connections fit`]
  if (connections.length < total) parts.push(`the first ${count(connections.length)} are shown`)
  if (partial) parts.push('there was no time to look at all of them')
  element.textContent = parts.join('; ') + '.'
}

// newActions returns what can be done with a connection.
function newActions(app, refresh, problem) {
  const run = async (question, call) => {
    if (!confirm(question)) return
    try {
      await call()
      document.activeElement?.blur()
      await refresh()
    } catch (error) {
      tell(problem, error)
    }
  }
  return c => {
    const user = c.user || c.channels.find(channel => channel.user)?.user
    return h('span', { class: 'actions' },
      h('button', { type: 'button', 'aria-label': `Tap ${c.socket}`, click: () => app.open('tap', { socket: c.socket }) }, 'Tap'),
      h('button', {
        type: 'button', 'aria-label': `Close ${c.socket}`,
        click: () => run(`Close the connection ${c.socket}? Its client does not connect again by itself.`, () => post('close', { socket: c.socket })),
      }, 'Close'),
      user ? h('button', {
        type: 'button', 'aria-label': `Close user ${user}: all connections`,
        click: () => run(`Close all connections of user ${user}, on all nodes? They do not connect again by themselves.`, () => post('terminate', { app: c.app, user })),
      }, 'Close user') : '')
  }
}
