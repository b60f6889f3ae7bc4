// Making and filling elements. Text from the server is only ever set as text.

const SVG = 'http://www.w3.org/2000/svg'

// h makes an element. Of its properties, functions become listeners and the rest attributes; false leaves one out.
export function h(name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children)
}

// s is h for SVG.
export function s(name, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, name), properties, children)
}

function fill(element, properties, children) {
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === 'function') element.addEventListener(key, value)
    else if (value !== false && value !== undefined) element.setAttribute(key, value === true ? '' : value)
  }
  element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== ''))
  return element
}

// field is a labelled input, select or textarea; the label says its id.
export function field(label, input, hint = '') {
  const note = hint && h('small', { id: `${input.id}-hint` }, hint)
  if (note) input.setAttribute('aria-describedby', note.id)
  return h('div', { class: 'field' }, h('label', { for: input.id }, label), input, note)
}

// table makes one whose rows become cards on a phone. Columns are [heading, classes]; a cell is a node or a text.
export function table(caption, columns, rows) {
  return h('table', { class: 'cards' },
    h('caption', { class: 'hidden' }, caption),
    h('thead', {}, h('tr', {}, columns.map(([heading, kind]) => h('th', { scope: 'col', class: kind }, heading)))),
    h('tbody', {}, rows.map(cells => h('tr', {}, cells.map((cell, i) =>
      h(i === 0 ? 'th' : 'td', { class: columns[i][1], scope: i === 0 && 'row', 'data-label': columns[i][0] }, cell))))))
}

export function empty(text) {
  return h('p', { class: 'empty' }, text)
}

// show tells a problem, or with '' that there is none.
export function tell(element, error) {
  element.textContent = error ? [error.message, error.hint].filter(Boolean).join('. Hint: ') : ''
  element.hidden = !error
}

// How values are written.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })

export const count = n => whole.format(n)
export const short = n => n < 10_000 ? new Intl.NumberFormat('en', { maximumFractionDigits: n < 10 ? 1 : 0 }).format(n) : compact.format(n)

export function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  for (; n >= 1024 && unit < units.length - 1; unit++) n /= 1024
  return `${unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`
}

// since writes how long ago a time is, as of the server's clock.
export function since(time, now) {
  const seconds = Math.max(0, Math.round((new Date(now) - new Date(time)) / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`
  return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds % 86400 / 3600)} h`
}
