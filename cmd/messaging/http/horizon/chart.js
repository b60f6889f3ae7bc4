// A line chart of several series over time, as SVG.

const SVG = 'http://www.w3.org/2000/svg'
const HEIGHT = 256
const MARGIN = { top: 12, right: 12, bottom: 26, left: 48 }

function svg(name, attributes = {}, text = '') {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  if (text) element.textContent = text
  return element
}

// draw fills a figure. Each of series is { name, points: [{ at, value }] } with ascending times; format writes a value.
export function draw(figure, { series, from, to, title, format }) {
  if (series.every(s => s.points.length === 0)) {
    const empty = document.createElement('p')
    empty.className = 'empty'
    empty.textContent = 'Nothing yet. A snapshot is taken every five minutes while a worker runs.'
    figure.replaceChildren(empty)
    return
  }
  const scale = newScale(figure.clientWidth || 320, series, from, to)
  const chart = svg('svg', { class: 'chart', viewBox: `0 0 ${scale.width} ${HEIGHT}`, role: 'img', 'aria-label': describe(series, title, format) })
  chart.append(...grid(scale, format), ...times(scale, from, to))
  series.forEach((s, i) => chart.append(...lines(scale, s.points, i)))
  const readout = document.createElement('p')
  readout.className = 'readout'
  chart.append(cursor(chart, scale, series, readout, format))
  figure.replaceChildren(chart, readout, legend(series))
}

function newScale(width, series, from, to) {
  const highest = Math.max(...series.flatMap(s => s.points.map(p => p.value)), 0)
  const step = niceStep(highest / 4 || 1)
  const top = Math.max(step, Math.ceil(highest / step) * step)
  return {
    width, step, top, from, to,
    x: at => MARGIN.left + (at - from) / (to - from) * (width - MARGIN.left - MARGIN.right),
    y: value => HEIGHT - MARGIN.bottom - value / top * (HEIGHT - MARGIN.top - MARGIN.bottom),
    time: x => from + (x - MARGIN.left) / (width - MARGIN.left - MARGIN.right) * (to - from),
  }
}

// niceStep is the next of 1, 2, 5, 10, 20, …
function niceStep(atLeast) {
  const power = 10 ** Math.floor(Math.log10(atLeast))
  return power * [1, 2, 5, 10].find(n => n * power >= atLeast)
}

function grid(scale, format) {
  const parts = []
  for (let value = 0; value <= scale.top * 1.0001; value += scale.step) {
    const y = scale.y(value)
    parts.push(svg('line', { class: 'grid', x1: MARGIN.left, x2: scale.width - MARGIN.right, y1: y, y2: y }))
    parts.push(svg('text', { x: MARGIN.left - 6, y: y + 4, 'text-anchor': 'end' }, format(value)))
  }
  return parts
}

function times(scale, from, to) {
  const count = Math.max(2, Math.floor(scale.width / 160))
  const options = to - from > 48 * 3600e3 ? { month: 'short', day: 'numeric' } : { hour: '2-digit', minute: '2-digit' }
  return Array.from({ length: count + 1 }, (_, i) => {
    const at = from + (to - from) * i / count
    const anchor = i === 0 ? 'start' : i === count ? 'end' : 'middle'
    return svg('text', { x: scale.x(at), y: HEIGHT - 8, 'text-anchor': anchor }, new Date(at).toLocaleString([], options))
  })
}

// lines breaks where no snapshot was taken for a while, rather than to invent one.
function lines(scale, points, index) {
  const gap = 16 * 60e3
  const parts = []
  let path = ''
  points.forEach((p, i) => {
    const joined = i > 0 && p.at - points[i - 1].at <= gap
    path += `${joined ? 'L' : 'M'}${scale.x(p.at).toFixed(1)} ${scale.y(p.value).toFixed(1)}`
    const alone = !joined && (i + 1 === points.length || points[i + 1].at - p.at > gap)
    if (alone) parts.push(svg('circle', { class: `series series-${index}`, cx: scale.x(p.at), cy: scale.y(p.value), r: 2 }))
  })
  if (path) parts.push(svg('path', { class: `series series-${index}`, d: path }))
  return parts
}

// cursor tells the values at the time that is pointed at.
function cursor(chart, scale, series, readout, format) {
  const line = svg('line', { class: 'cursor', y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom, visibility: 'hidden' })
  chart.addEventListener('pointermove', event => {
    const box = chart.getBoundingClientRect()
    const at = scale.time((event.clientX - box.left) / box.width * scale.width)
    const nearest = series.map(s => ({ name: s.name, point: closest(s.points, at) })).filter(s => s.point)
    if (nearest.length === 0) return
    const x = scale.x(nearest[0].point.at)
    line.setAttribute('x1', x)
    line.setAttribute('x2', x)
    line.setAttribute('visibility', 'visible')
    readout.textContent = [new Date(nearest[0].point.at).toLocaleString(), ...nearest.map(s => `${s.name} ${format(s.point.value)}`)].join(' · ')
  })
  chart.addEventListener('pointerleave', () => {
    line.setAttribute('visibility', 'hidden')
    readout.textContent = ''
  })
  return line
}

function closest(points, at) {
  return points.reduce((best, p) => !best || Math.abs(p.at - at) < Math.abs(best.at - at) ? p : best, null)
}

function legend(series) {
  const list = document.createElement('ul')
  list.className = 'legend'
  series.forEach((s, i) => {
    const item = document.createElement('li')
    const sample = svg('svg', { viewBox: '0 0 26 12', 'aria-hidden': 'true' })
    sample.append(svg('path', { class: `series series-${i}`, d: 'M0 6H26' }))
    item.append(sample, s.name)
    list.append(item)
  })
  return list
}

function describe(series, title, format) {
  const parts = series.filter(s => s.points.length > 0).map(s => {
    const values = s.points.map(p => p.value)
    return `${s.name}: now ${format(values[values.length - 1])}, at most ${format(Math.max(...values))}`
  })
  return `Chart of ${title}. ${parts.join('. ')}.`
}
