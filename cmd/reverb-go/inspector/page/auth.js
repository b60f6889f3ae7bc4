// Why a signature is refused.

import { post } from './api.js'
import { newAppChoice } from './apps.js'
import { field, h, tell } from './dom.js'

export function newAuth(app) {
  const text = (id, required) => h('input', { id, autocomplete: 'off', spellcheck: 'false', required })
  const owner = newAppChoice(app, 'auth-app')
  const kind = h('select', { id: 'auth-kind', change: () => adapt() },
    h('option', { value: 'channel' }, 'subscribe to a channel'), h('option', { value: 'user' }, 'sign a user in'))
  const socket = text('auth-socket', true), channel = text('auth-channel', false), auth = text('auth-auth', false)
  const data = h('textarea', { id: 'auth-data', rows: '3', spellcheck: 'false' })
  const problem = h('p', { class: 'bad', role: 'alert', hidden: true })
  const result = h('div', { role: 'status' })
  const channelField = field('Channel', channel)
  const dataField = field('Data', data, 'channel_data of a presence channel, or user_data, exactly as the client sends it.')

  function adapt() {
    channelField.hidden = kind.value === 'user'
  }

  const form = h('form', {
    class: 'form',
    submit: async event => {
      event.preventDefault()
      try {
        const answer = await post('explain', {
          app: owner.value, user: kind.value === 'user', socket_id: socket.value.trim(), channel: channel.value, data: data.value, auth: auth.value,
        })
        tell(problem, null)
        result.replaceChildren(verdict(answer))
      } catch (error) {
        result.replaceChildren()
        tell(problem, error)
      }
    },
  },
  field('App', owner.element), field('The client wants to', kind), field('Socket id', socket, 'The client has it from pusher:connection_established.'),
  channelField, dataField, field('Auth', auth, 'What the backend answered: the app’s key, a colon and a signature.'),
  h('button', { class: 'primary' }, 'Explain'))
  return {
    element: h('section', { class: 'card narrow' }, h('h2', {}, 'Why is an auth refused?'), form, problem, result),
    open(parameters) {
      owner.refresh(parameters.app)
      adapt()
    },
    tick() { owner.refresh() },
  }
}

function verdict({ accepted, findings, remarks, string_to_sign: signed }) {
  return h('div', { class: `verdict ${accepted ? 'good' : 'bad'}` },
    h('h3', {}, accepted ? 'This server accepts it.' : 'This server refuses it.'),
    list(findings ?? []),
    (remarks ?? []).length > 0 ? h('div', {}, h('h4', {}, 'Worth knowing'), list(remarks)) : '',
    h('h4', {}, 'What has to be signed, by HMAC-SHA256 with the app’s secret'), h('pre', {}, signed))
}

function list(findings) {
  return h('ul', {}, findings.map(({ sentence, hint }) => h('li', {}, sentence, hint ? h('small', {}, `Hint: ${hint}`) : '')))
}
