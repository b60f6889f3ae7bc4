// Which view is shown, and the question to the server that all of them share.

import { get, Refusal, useToken } from './api.js'
import { newAuth } from './auth.js'
import { newChannels } from './channels.js'
import { newConnections } from './connections.js'
import { since, tell } from './dom.js'
import { History } from './history.js'
import { newOverview } from './overview.js'
import { newPublish } from './publish.js'
import { newTap } from './tap.js'

const PERIOD = 1000

const $ = id => document.getElementById(id)
const history = new History()

// app is what the views share: the history, the ids of the apps, and a way to each other.
const app = {
  history,
  get ids() { return history.latest?.apps.map(({ id }) => id) ?? [] },
  get now() { return history.latest?.at ?? new Date().toISOString() },
  open(view, parameters) { location.hash = `/${view}?${new URLSearchParams(parameters)}` },
}

// A view has an element, and functions that are called when it is opened, with parameters, and once a second.
const views = {
  overview: newOverview(app), connections: newConnections(app), channels: newChannels(app),
  tap: newTap(app), publish: newPublish(app), auth: newAuth(app),
}

let shown = null

function route() {
  if (location.hash === '#main') return // the link that skips the menu
  const [name, query] = location.hash.slice('#/'.length).split('?')
  const view = views[name] ? name : 'overview'
  for (const link of document.querySelectorAll('nav a')) {
    if (link.hash === `#/${view}`) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  if (shown !== views[view]) {
    shown = views[view]
    $('main').replaceChildren(shown.element)
    document.title = `${view} · reverb-go inspector`
  }
  shown.open?.(Object.fromEntries(new URLSearchParams(query ?? '')))
}

async function look() {
  if (document.hidden || $('sign-in').open) return
  try {
    history.add(await get('overview'))
    introduce(history.latest)
    tell($('problem'), null)
    await shown.tick?.()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    complain(error)
  }
}

function introduce({ host, pid, version, started, health, at }) {
  $('node').textContent = [host, `pid ${pid}`, version, `up ${since(started, at)}`].filter(Boolean).join(' · ')
  state(health === '' ? 'good' : 'bad', health === '' ? 'healthy' : health)
}

function state(kind, text) {
  if ($('state').textContent === text) return // a screen reader would say it again
  $('state').className = `pill ${kind}`
  $('state').textContent = text
}

function complain(error) {
  if (error.status === 401) {
    if (sessionStorage.length > 0 && $('token').value) tell($('sign-in-problem'), error)
    if (!$('sign-in').open) $('sign-in').showModal()
    return
  }
  if (error.status === 0) state('bad', 'no answer')
  tell($('problem'), error)
}

$('sign-in').addEventListener('close', () => {
  useToken($('token').value)
  look()
})
$('sign-in').addEventListener('cancel', event => event.preventDefault())

window.addEventListener('hashchange', route)
document.addEventListener('visibilitychange', look)
route()
for (;;) {
  await look()
  await new Promise(resolve => setTimeout(resolve, PERIOD))
}
