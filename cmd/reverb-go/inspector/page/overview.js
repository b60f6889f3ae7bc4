// This node, its loops and apps, its rates, and the other nodes.

import { get } from './api.js'
import { newChart } from './chart.js'
import { bytes, count, empty, h, short, since, table } from './dom.js'

const perSecond = n => `${short(n)}/s`
const percent = share => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`

export function newOverview(app) {
  const charts = [
    newChart('Messages', [['sent', p => p.sent], ['received', p => p.received]], perSecond),
    newChart('Connections', [['open', p => p.connections]], short),
    newChart('Churn', [['opened', p => p.opened], ['closed', p => p.closed]], perSecond),
    newChart('Traffic', [['out', p => p.bytesOut], ['in', p => p.bytesIn]], n => `${bytes(n)}/s`),
    newChart('Busiest loop', [['of its time', p => p.busiest]], percent),
    newChart('Backend', [['events', p => p.published], ['requests', p => p.requests]], perSecond),
  ]
  const totals = h('dl', { class: 'totals' })
  const loops = h('div'), apps = h('div'), reasons = h('div'), nodes = h('div')
  const element = h('div', { class: 'stack' },
    totals,
    h('section', { 'aria-label': 'Rates', class: 'charts' }, charts.map(chart => chart.element)),
    card('Nodes', nodes),
    h('div', { class: 'columns' }, card('Event loops', loops), card('Apps', apps)),
    card('Why connections and messages ended', reasons))
  let ticks = 0
  return {
    element,
    async tick() {
      const { latest, points } = app.history
      charts.forEach(chart => chart.draw(points))
      totals.replaceChildren(...totalCards(latest, points.at(-1)))
      loops.replaceChildren(loopTable(latest, points.at(-1)))
      apps.replaceChildren(appTable(latest))
      reasons.replaceChildren(reasonTable(latest))
      if (ticks++ % 3 === 0) nodes.replaceChildren(nodeTable(await get('nodes'), latest))
    },
  }
}

function card(title, content) {
  return h('section', { class: 'card' }, h('h2', {}, title), content)
}

function totalCards({ totals, memory, viewers }, point) {
  const sum = name => totals[name] ?? 0
  return [
    ['Connections', count(sum('connections'))],
    ['Channels', count(sum('channels'))],
    ['Subscriptions', count(sum('subscriptions'))],
    ['Sent', point ? perSecond(point.sent) : '–'],
    ['Received', point ? perSecond(point.received) : '–'],
    ['Queued', bytes(sum('queued_bytes'))],
    ['Dropped', count(sum('messages_dropped_total'))],
    ['Memory', bytes(memory)],
    ['Viewers', count(viewers)],
  ].map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))
}

function loopTable({ loops }, point) {
  const columns = [['Loop'], ['Connections', 'number'], ['Busy', 'number'], ['Turns', 'number'], ['Waiting notes', 'number'], ['State']]
  return table('Event loops', columns, loops.map(({ index, connections, waiting, answers }, i) => {
    const rate = point?.loops[i]
    return [
      String(index), answers ? count(connections) : '?', rate ? percent(rate.busy) : '–', rate ? perSecond(rate.turns) : '–', count(waiting),
      answers ? 'answers' : h('b', { class: 'bad' }, 'does not answer'),
    ]
  }))
}

function appTable({ apps }) {
  if (apps.length === 0) return empty('No app has been met yet.')
  const columns = [['App'], ['Connections', 'number'], ['Channels', 'number'], ['Subscriptions', 'number']]
  return table('Apps', columns, apps.map(a => [a.id, count(a.connections), count(a.channels), count(a.subscriptions)]))
}

function reasonTable({ closed, refused, dropped, errors }) {
  const rows = [['closed', closed], ['refused', refused], ['messages dropped', dropped], ['messages refused', errors]]
    .flatMap(([what, reasons]) => Object.entries(reasons).map(([reason, n]) => [what, reason, n]))
    .sort((a, b) => b[2] - a[2])
  if (rows.length === 0) return empty('Nothing yet since the server started.')
  return table('Reasons', [['What'], ['Reason'], ['Since the start', 'number']], rows.map(([what, reason, n]) => [what, reason, count(n)]))
}

function nodeTable({ nodes }, { at, host, version, started, totals, loops }) {
  const columns = [['Node'], ['Host'], ['Address'], ['Version'], ['Up'], ['Connections', 'number'], ['Waiting for Redis', 'number'], ['Lease', 'number']]
  if (nodes.length === 0) {
    const alone = ['this node', host, '–', version || '–', since(started, at), count(totals.connections ?? 0), '–', '–']
    return h('div', {}, table('Nodes', columns, [alone]),
      h('p', { class: 'empty' }, `It shares no Redis with others, and has ${loops.length} event loop${loops.length === 1 ? '' : 's'}.`))
  }
  return table('Nodes', columns, nodes.map(n => [
    n.this ? h('b', {}, `${n.id} (this one)`) : n.id, n.name ?? '–', n.address ?? '–', n.version || '–', n.started ? since(n.started, at) : '–',
    count(Object.values(n.connections ?? {}).reduce((a, b) => a + b, 0)), count(n.waiting),
    n.lease > 0 ? `${n.lease.toFixed(1)} s` : h('b', { class: 'bad' }, 'over'),
  ]))
}
