// A chart of what happened in the last minutes, as SVG.

import { h, s } from './dom.js'

const WIDTH = 480
const HEIGHT = 130
const MARGIN = { top: 10, right: 6, bottom: 18, left: 62 }

// MINUTE is the least that a chart shows. From then on it shows all there is.
const MINUTE = 60_000

// newChart returns an element and a function that draws. Series are [name, value of a point]; format writes a value.
export function newChart(title, series, format) {
  const now = h('p', { class: 'readout' })
  const figure = h('div', { class: 'plot' })
  const element = h('figure', { class: 'card chart-card' }, h('figcaption', {}, title), now, figure)
  let points = []
  let pointer = null // where on the screen somebody points at
  const say = () => {
    const point = pointer === null ? points.at(-1) : pointAt(figure, points, pointer)
    now.replaceChildren(...legend(series, point, format))
  }
  figure.addEventListener('pointermove', event => {
    pointer = event.clientX
    say()
  })
  figure.addEventListener('pointerleave', () => {
    pointer = null
    say()
  })
  return {
    element,
    draw(all) {
      points = all
      figure.replaceChildren(plot(title, series, points, format))
      say()
    },
  }
}

function legend(series, point, format) {
  return series.map(([name, value], i) => h('span', { class: `key key-${i}` }, h('b', {}, point ? format(value(point)) : '–'), ` ${name}`))
}

function spanOf(points) {
  return Math.max(MINUTE, points.length > 0 ? points.at(-1).at - points[0].at : 0)
}

function plot(title, series, points, format) {
  const span = spanOf(points)
  const end = points.at(-1)?.at ?? Date.now()
  const top = niceTop(Math.max(0, ...points.flatMap(point => series.map(([, value]) => value(point)))))
  const x = at => WIDTH - MARGIN.right - (end - at) / span * (WIDTH - MARGIN.left - MARGIN.right)
  const y = value => HEIGHT - MARGIN.bottom - value / top * (HEIGHT - MARGIN.top - MARGIN.bottom)
  return s('svg', { class: 'chart', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': describe(title, series, points, format) },
    [0, 0.5, 1].map(share => gridLine(y(top * share), format(top * share))),
    s('text', { x: MARGIN.left, y: HEIGHT - 4 }, `${Math.floor(span / MINUTE)}:${String(Math.floor(span % MINUTE / 1000)).padStart(2, '0')} min ago`),
    s('text', { x: WIDTH - MARGIN.right, y: HEIGHT - 4, 'text-anchor': 'end' }, 'now'),
    series.map(([, value], i) => line(points.map(point => [x(point.at), y(value(point))]), i, y(0))))
}

function gridLine(y, text) {
  return [
    s('line', { class: 'grid', x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y, y2: y }),
    s('text', { x: MARGIN.left - 6, y: y + 4, 'text-anchor': 'end' }, text),
  ]
}

function line(points, i, floor) {
  if (points.length === 0) return []
  const path = points.map(([x, y], n) => `${n === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('')
  const area = `${path}L${points.at(-1)[0].toFixed(1)} ${floor}L${points[0][0].toFixed(1)} ${floor}Z`
  return [s('path', { class: `area area-${i}`, d: area }), s('path', { class: `line line-${i}`, d: path })]
}

// niceTop is the next of 1, 2, 5, 10, 20, …
function niceTop(value) {
  if (value <= 1) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return power * [1, 2, 5, 10].find(n => n * power >= value)
}

function pointAt(figure, points, clientX) {
  const box = figure.getBoundingClientRect()
  const share = (WIDTH - MARGIN.right - (clientX - box.left) / box.width * WIDTH) / (WIDTH - MARGIN.left - MARGIN.right)
  const at = (points.at(-1)?.at ?? 0) - share * spanOf(points)
  return points.reduce((best, point) => !best || Math.abs(point.at - at) < Math.abs(best.at - at) ? point : best, null)
}

function describe(title, series, points, format) {
  if (points.length === 0) return `${title}: nothing yet`
  return `${title}. ` + series.map(([name, value]) =>
    `${name}: now ${format(value(points.at(-1)))}, at most ${format(Math.max(...points.map(value)))}`).join('. ')
}
