// Channels of all nodes, and who is in one.

import { get } from './api.js'
import { newAppChoice } from './apps.js'
import { bytes, count, empty, field, h, table, tell } from './dom.js'

// EVERY is how many seconds a list is good for.
const EVERY = 3

export function newChannels(app) {
  const text = h('input', { id: 'channel-text', type: 'search', autocomplete: 'off', spellcheck: 'false', placeholder: 'all channels' })
  const owner = newAppChoice(app, 'channel-app')
  const summary = h('p', { class: 'summary', role: 'status' })
  const problem = h('p', { class: 'bad', role: 'alert', hidden: true })
  const list = h('div'), detail = h('div')
  let age = 0, name = ''

  const search = async () => {
    age = 0
    if (!owner.value) return list.replaceChildren(empty('No app has been met yet.'))
    const found = await get('channels', { app: owner.value, q: text.value })
    summary.textContent = `${count(found.total)} channels` + (found.channels.length < found.total ? `; the ${count(found.channels.length)} fullest are shown.` : '.')
    list.replaceChildren(channelTable(found.channels))
    if (name) detail.replaceChildren(channelCard(app, owner.value, await get('channel', { app: owner.value, name })))
  }

  function channelTable(channels) {
    if (channels.length === 0) return empty('No channel with a subscriber fits.')
    const columns = [['Channel', 'wide'], ['Kind'], ['Subscriptions', 'number'], ['Members', 'number']]
    return table('Channels', columns, channels.map(c => [
      h('a', { href: link({ app: owner.value, q: text.value, name: c.name }), 'aria-current': c.name === name && 'true' }, c.name),
      c.kind.join(', '), count(c.subscriptions), c.kind.includes('presence') ? count(c.users) : '–',
    ]))
  }

  const form = h('form', {
    class: 'search',
    submit: event => {
      event.preventDefault()
      location.hash = link({ app: owner.value, q: text.value })
      age = EVERY
    },
  }, field('Search', text), field('App', owner.element), h('button', { class: 'primary' }, 'Search'))
  return {
    element: h('div', { class: 'stack' }, h('section', { class: 'card' }, h('h2', {}, 'Channels of all nodes'), form, problem, summary, list), detail),
    open(parameters) {
      text.value = parameters.q ?? ''
      owner.refresh(parameters.app ?? '')
      name = parameters.name ?? ''
      if (!name) detail.replaceChildren()
      age = EVERY
    },
    async tick() {
      owner.refresh()
      if (age++ < EVERY || list.contains(document.activeElement) && !name) return
      try {
        await search()
        tell(problem, null)
      } catch (error) {
        tell(problem, error)
      }
    },
  }
}

const link = parameters => `#/channels?${new URLSearchParams(parameters)}`

function channelCard(app, owner, c) {
  const facts = [['Kind', c.kind.join(', ')], ['Subscriptions', count(c.subscriptions)]]
  if (c.kind.includes('presence')) facts.push(['Members', count(c.users)])
  if (c.cached > 0) facts.push(['Kept event', `${bytes(c.cached)}, for ${Math.max(0, Math.round(c.expires))} s more`])
  return h('section', { class: 'card', 'aria-label': `Channel ${c.name}` },
    h('h2', { class: 'name' }, c.name),
    h('dl', { class: 'facts' }, facts.map(([what, value]) => h('div', {}, h('dt', {}, what), h('dd', {}, value)))),
    c.kind.includes('presence') ? members(c) : '',
    h('p', { class: 'actions' },
      h('a', { class: 'button', href: `#/tap?${new URLSearchParams({ app: owner, channel: c.name })}` }, 'Tap this channel'),
      h('a', { class: 'button', href: `#/connections?${new URLSearchParams({ app: owner, by: 'channel', q: c.name })}` }, 'Its connections here'),
      h('a', { class: 'button', href: `#/publish?${new URLSearchParams({ app: owner, channel: c.name })}` }, 'Publish to it')))
}

function members({ members: ids, users }) {
  if (ids.length === 0) return empty('Nobody is a member.')
  return h('div', {}, h('h3', {}, 'Members'), h('ul', { class: 'chips', 'aria-label': 'Members' }, ids.map(id => h('li', {}, id))),
    ids.length < users ? h('p', { class: 'faint' }, `and ${count(users - ids.length)} more`) : '')
}
