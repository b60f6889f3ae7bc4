// A test event.

import { post } from './api.js'
import { newAppChoice } from './apps.js'
import { count, field, h, tell } from './dom.js'

export function newPublish(app) {
  const owner = newAppChoice(app, 'publish-app')
  const channel = h('input', { id: 'publish-channel', autocomplete: 'off', spellcheck: 'false', required: true })
  const event = h('input', { id: 'publish-event', autocomplete: 'off', spellcheck: 'false', required: true, value: 'test' })
  const data = h('textarea', { id: 'publish-data', rows: '5', spellcheck: 'false' })
  const result = h('p', { class: 'summary', role: 'status' })
  const problem = h('p', { class: 'bad', role: 'alert', hidden: true })
  data.value = '{"from":"inspector"}'

  const form = h('form', {
    class: 'form',
    submit: async e => {
      e.preventDefault()
      result.textContent = ''
      try {
        const { subscribers } = await post('publish', { app: owner.value, channel: channel.value, event: event.value, data: data.value })
        const who = subscribers === 0 ? 'nobody is subscribed' : `${count(subscribers)} ${subscribers === 1 ? 'connection is' : 'connections are'} subscribed`
        result.textContent = `${event.value} was published to ${channel.value}: ${who}${isJSON(data.value) ? '' : '. Its data is no JSON and was sent as text'}.`
        tell(problem, null)
      } catch (error) {
        tell(problem, error)
      }
    },
  },
  field('App', owner.element), field('Channel', channel),
  field('Event', event, 'What Laravel Echo listens to with .listen(\'.test\').'),
  field('Data', data, 'Usually JSON. Clients hear it as any event of the backend.'),
  h('button', { class: 'primary' }, 'Publish'))
  return {
    element: h('section', { class: 'card narrow' }, h('h2', {}, 'Publish a test event'), form, problem, result),
    open(parameters) {
      owner.refresh(parameters.app)
      if (parameters.channel) channel.value = parameters.channel
    },
    tick() { owner.refresh() },
  }
}

function isJSON(text) {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
