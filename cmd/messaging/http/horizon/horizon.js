// The dashboard of the queues.
import { draw } from './chart.js'

const $ = id => document.getElementById(id)
const POLL = 5000
const SNAPSHOTS = 60_000

const count = n => n.toLocaleString([], { maximumFractionDigits: n < 10 ? 1 : 0 })
const time = ms => ms < 1000 ? `${count(ms)} ms` : ms < 120_000 ? `${count(ms / 1000)} s` : `${count(ms / 60_000)} min`
const formats = { runtime_ms_avg: time, wait_ms: time }

let page = 1
let queues = []
let snapshots = []

function element(name, className, ...children) {
  const e = document.createElement(name)
  if (className) e.className = className
  e.append(...children)
  return e
}

function csrfToken() {
  const cookie = document.cookie.split('; ').find(pair => pair.startsWith('XSRF-TOKEN='))
  return cookie ? decodeURIComponent(cookie.slice('XSRF-TOKEN='.length)) : ''
}

async function ask(path, method = 'GET') {
  const headers = { Accept: 'application/json' }
  if (method !== 'GET') headers['X-CSRF-TOKEN'] = csrfToken()
  const response = await fetch(`/horizon/api/${path}`, { method, headers, signal: AbortSignal.timeout(15_000) })
  if (response.status === 204) return null
  const body = await response.json().catch(() => ({}))
  if (!response.ok) throw new Error(body.message || `The server answered with ${response.status}.`)
  return body
}

// attempt says what went wrong at the top of the page, where it stays until the next success.
async function attempt(what) {
  try {
    await what()
    $('problem').hidden = true
  } catch (error) {
    $('problem').textContent = error instanceof TypeError || error.name === 'TimeoutError' ? 'The server cannot be reached. Trying again…' : error.message
    $('problem').hidden = false
  }
}

async function showStats() {
  const stats = await ask('stats')
  $('status').textContent = stats.status
  $('status').className = `pill ${stats.status}`
  const totals = {
    'Jobs per minute': count(stats.jobs_per_minute), 'Processed': count(stats.processed),
    'Failed': count(stats.failed), 'Waiting': count(stats.waiting),
  }
  $('totals').replaceChildren(...Object.entries(totals).map(([name, value]) => element('div', '', element('dt', '', name), element('dd', '', value))))
  queues = stats.queues.map(q => q.queue)
  $('queues').tBodies[0].replaceChildren(...stats.queues.map(queueRow))
  offerQueues()
  $('workers').replaceChildren(...(stats.workers.length ? stats.workers.map(workerItem) : [nothing('No process works the queues.')]))
}

function queueRow(q) {
  const name = element('th', '', q.queue + (q.paused ? ' (paused)' : ''))
  name.scope = 'row'
  const cells = {
    'Jobs': count(q.size), 'Oldest waits': time(q.latency_ms), 'Per minute': count(q.throughput_per_min),
    'Runtime': time(q.runtime_ms_avg), 'Wait': time(q.wait_ms_avg), 'Failed': count(q.failed), 'Workers': count(q.workers),
  }
  return element('tr', '', name, ...Object.entries(cells).map(([label, value]) => {
    const cell = element('td', label === 'Failed' && q.failed > 0 ? 'failed' : '', value)
    cell.dataset.label = label
    return cell
  }))
}

function workerItem(w) {
  return element('li', '',
    element('b', '', w.queues.join(', ')), element('span', '', `${w.active} of ${w.concurrency} busy`),
    element('span', 'more', `${w.host}, process ${w.pid}, since ${new Date(w.started_at).toLocaleString()}`))
}

const nothing = text => element('li', 'empty', text)

function offerQueues() {
  if ($('queue').options.length > 1) return
  for (const name of queues) $('queue').append(new Option(name, name))
}

// latest asks for what path() says, and returns nothing if that is another by the time of the answer.
async function latest(path) {
  const asked = path()
  const answer = await ask(asked)
  return asked === path() ? answer : null
}

async function loadSnapshots() {
  const answer = await latest(() => `snapshots?hours=${$('hours').value}`)
  if (!answer) return
  snapshots = answer.snapshots
  showChart()
}

function showChart() {
  const metric = $('metric').value
  const names = [...new Set([...queues, ...snapshots.map(s => s.queue)])]
  draw($('chart'), {
    title: $('metric').selectedOptions[0].textContent, format: formats[metric] ?? count,
    from: Date.now() - $('hours').value * 3600e3, to: Date.now(),
    series: names.map(name => ({
      name, points: snapshots.filter(s => s.queue === name).map(s => ({ at: Date.parse(s.at), value: s[metric] })),
    })),
  })
}

async function showJobs() {
  const answer = await latest(() => `jobs/${$('kind').value}?queue=${$('queue').value}&page=${page}`)
  if (!answer) return
  const failed = $('kind').value === 'failed'
  const items = answer.jobs.map(job => jobItem(job, failed))
  $('jobs').replaceChildren(...(items.length ? items : [nothing(failed ? 'No job has failed.' : 'No job has run yet.')]))
  $('newer').disabled = page === 1
  $('older').disabled = !answer.has_more
}

function jobItem(job, canAct) {
  const item = element('li', '',
    element('b', job.status === 'failed' ? 'failed' : '', job.type),
    element('time', '', new Date(job.at).toLocaleTimeString()),
    element('span', 'more', `${job.queue} · ran ${time(job.runtime_ms)} after ${time(job.wait_ms)} · ${job.payload}`))
  if (job.error) item.append(element('span', 'error', job.error))
  if (canAct) item.append(element('span', 'actions', jobButton('Retry', job, 'POST', '/retry'), jobButton('Forget', job, 'DELETE', '')))
  return item
}

function jobButton(text, job, method, suffix) {
  const button = element('button', '', text)
  button.type = 'button'
  button.setAttribute('aria-label', `${text} ${job.type}`)
  button.addEventListener('click', async () => {
    button.disabled = true
    await attempt(async () => {
      await ask(`jobs/failed/${job.queue}/${encodeURIComponent(job.id)}${suffix}`, method)
      await Promise.all([showJobs(), showStats()])
    })
    button.disabled = false
  })
  return button
}

function turn(by) {
  page = Math.max(1, page + by)
  attempt(showJobs)
}

$('metric').addEventListener('change', showChart)
$('hours').addEventListener('change', () => attempt(loadSnapshots))
for (const id of ['kind', 'queue']) $(id).addEventListener('change', () => { page = 1; attempt(showJobs) })
$('newer').addEventListener('click', () => turn(-1))
$('older').addEventListener('click', () => turn(1))
addEventListener('resize', showChart)

// every asks again and again while somebody looks. What can be acted on is not moved under a finger.
function every(interval, what) {
  setInterval(() => { if (!document.hidden) attempt(what) }, interval)
}

await attempt(async () => { await showStats(); await Promise.all([loadSnapshots(), showJobs()]) })
every(POLL, async () => {
  await showStats()
  if ($('kind').value === 'recent' && page === 1) await showJobs()
})
every(SNAPSHOTS, loadSnapshots)
