import type {
  ChannelAuth, Config, Conversation, Conversations, ConversationUpdated, Delta, Message, Notifications, NotificationRead,
  ReadResult, Session, Typing, User, View,
} from './types.ts'

// ApiError is an answer of 400 and above, or none at all: then its status is 0.
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly errors: Record<string, string[]> = {},
    readonly retryAfter = 0, // seconds
  ) {
    super(message)
  }

  // isPassing reports whether the same request may well succeed later.
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

// TIMEOUT is for a server that took the request and fell silent. Every request may be repeated.
const TIMEOUT = 15_000

type Query = Record<string, string | number | undefined>

// Client speaks the app's HTTP API.
export class Client {
  // onSignedOut is called when the app no longer knows the session.
  onSignedOut: () => void = () => {}
  // socketID names the connection that is not to be told of what this page does.
  socketID: () => string | undefined = () => undefined

  config = () => this.#get<Config>('/api/messages/config')
  user = () => this.#get<Session>('/api/user')
  login = (username: string, password: string) => this.#send<Session>('POST', '/login', { username, password })
  logout = () => this.#send<void>('POST', '/logout')
  users = (search: string) => this.#get<{ users: User[] }>('/api/messages/users', { search })

  conversations = (page = 1) => this.#get<Conversations>('/api/messages/conversations', { page })
  createConversation = (request: { participant_ids: number[], title?: string, body?: string }) =>
    this.#send<ConversationUpdated>('POST', '/api/messages/conversations', request)
  view = (id: number, before?: number) => this.#get<View>(`/api/messages/${id}`, { before_message_id: before })
  delta = (id: number, after: number, afterChange: number, limit = 100) =>
    this.#get<Delta>(`/api/messages/${id}/delta`, { after_message_id: after, after_change: afterChange, limit })
  mute = (id: number, muted: boolean) => this.#send<Conversation>(muted ? 'POST' : 'DELETE', `/api/messages/${id}/mute`)

  send = (id: number, body: string, clientTempID: string, uuid: string) =>
    this.#send<Message>('POST', `/api/messages/${id}`, { body, client_temp_id: clientTempID, uuid })
  edit = (id: number, message: number, body: string) =>
    this.#send<Message>('PATCH', `/api/messages/${id}/${message}`, { body })
  remove = (id: number, message: number) => this.#send<Message>('DELETE', `/api/messages/${id}/${message}`)
  read = (id: number, message: number) => this.#send<ReadResult>('POST', `/api/messages/${id}/read`, { message_id: message })

  typing = (id: number) => this.#get<{ typing: Typing[] }>(`/api/messages/${id}/typing`)
  startTyping = (id: number) => this.#send<Typing>('POST', `/api/messages/${id}/typing`)
  stopTyping = (id: number) => this.#send<void>('DELETE', `/api/messages/${id}/typing`)
  heartbeat = (id: number | null) =>
    this.#send<void>('POST', '/api/messages/presence/heartbeat', id === null ? {} : { conversation_id: id })

  notifications = (page = 1) => this.#get<Notifications>('/api/messages/notifications', { page })
  readNotification = (id: string) => this.#send<NotificationRead>('POST', `/api/messages/notifications/${id}/read`)
  channelAuth = (socketID: string, channel: string) =>
    this.#send<ChannelAuth>('POST', '/broadcasting/auth', { socket_id: socketID, channel_name: channel })

  #get<T>(path: string, query: Query = {}): Promise<T> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined)
    const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
    return this.#fetch<T>('GET', search ? `${path}?${search}` : path)
  }

  // An outdated token is replaced by the answer that refuses it, so the second time it is right.
  async #send<T>(method: string, path: string, body?: object): Promise<T> {
    try {
      return await this.#fetch<T>(method, path, body)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 419) throw error
      await this.config()
      return this.#fetch<T>(method, path, body)
    }
  }

  async #fetch<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await this.#answer(path, {
      method,
      headers: this.#headers(method, body),
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT),
    })
    if (response.status === 204) return undefined as T
    if (response.ok) return await response.json().catch(() => { throw unreachable() }) as T
    if (response.status === 401 && path !== '/login' && path !== '/api/user') this.onSignedOut()
    throw await problem(response)
  }

  async #answer(path: string, request: RequestInit): Promise<Response> {
    try {
      return await fetch(path, request)
    } catch {
      throw unreachable()
    }
  }

  #headers(method: string, body?: object): Record<string, string> {
    const headers: Record<string, string> = { Accept: 'application/json' }
    if (body) headers['Content-Type'] = 'application/json'
    if (method === 'GET') return headers
    headers['X-CSRF-TOKEN'] = csrfToken()
    const socketID = this.socketID()
    if (socketID) headers['X-Socket-ID'] = socketID
    return headers
  }
}

const unreachable = () => new ApiError(0, 'The server cannot be reached.')

async function problem(response: Response): Promise<ApiError> {
  const text = `The server answered with ${response.status}.`
  const body = await response.json().catch(() => ({}))
  return new ApiError(response.status, body.message || text, body.errors, Number(response.headers.get('Retry-After') ?? 0))
}

// csrfToken is read anew each time, since logging in and out changes it.
function csrfToken(): string {
  const cookie = document.cookie.split('; ').find(pair => pair.startsWith('XSRF-TOKEN='))
  return cookie ? decodeURIComponent(cookie.slice('XSRF-TOKEN='.length)) : ''
}
