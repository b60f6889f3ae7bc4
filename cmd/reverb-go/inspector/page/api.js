// Asking the server.

const TOKEN = 'reverb-go-inspector-token'

// viewer tells the server whose requests belong together. crypto.randomUUID is for secure pages only.
const viewer = [...crypto.getRandomValues(new Uint8Array(12))].map(n => n.toString(16).padStart(2, '0')).join('')

let token = sessionStorage.getItem(TOKEN) ?? ''

export function useToken(text) {
  token = text.trim()
  sessionStorage.setItem(TOKEN, token)
}

// A Refusal is an answer that says what is wrong, and perhaps what to do about it.
export class Refusal extends Error {
  constructor(status, { error, hint }) {
    super(error)
    this.status = status
    this.hint = hint
  }
}

async function request(name, options) {
  const headers = { 'X-Reverb-Inspector': viewer, ...token && { Authorization: `Bearer ${token}` }, ...options.headers }
  let answer
  try {
    answer = await fetch(new URL(`api/${name}`, import.meta.url), { ...options, headers, cache: 'no-store', credentials: 'omit' })
  } catch {
    throw new Refusal(0, { error: 'The server does not answer', hint: 'it is asked again every second' })
  }
  let body
  try {
    body = await answer.json()
  } catch {
    throw new Refusal(answer.status, { error: `The server answers ${answer.status}`, hint: 'is the inspector still on?' })
  }
  if (!answer.ok) throw new Refusal(answer.status, body)
  return body
}

export function get(name, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== ''))
  return request(query.size > 0 ? `${name}?${query}` : name, { method: 'GET' })
}

export function post(name, body) {
  return request(name, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
}
