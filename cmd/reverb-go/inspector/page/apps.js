// The choice of an app, which several views have.

import { h } from './dom.js'

// newAppChoice is a select that follows what apps there are. With all, the first choice is every app.
export function newAppChoice(app, id, all = false) {
  const element = h('select', { id })
  return {
    element,
    get value() { return element.value },
    // refresh keeps what is chosen, or takes what is wanted.
    refresh(wanted = element.value) {
      const ids = all ? ['', ...app.ids] : app.ids
      if (wanted && !ids.includes(wanted)) ids.push(wanted)
      if (ids.join('\n') !== [...element.options].map(({ value }) => value).join('\n')) {
        element.replaceChildren(...ids.map(value => h('option', { value }, value || 'all apps')))
      }
      element.value = ids.includes(wanted) ? wanted : ids[0] ?? ''
    },
  }
}
