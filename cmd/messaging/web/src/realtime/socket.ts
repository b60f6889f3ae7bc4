// Echo and pusher-js as Laravel's documentation sets them up. They connect, reconnect and subscribe again by
// themselves; here is only what they leave to the page.

import Echo from 'laravel-echo'
import Pusher from 'pusher-js'
import { ApiError, type Client } from '../api/client.ts'
import type { ChannelAuth, Config, ConversationUpdated, MemberInfo, Message, Notification, ReadMarker, Typing } from '../api/types.ts'
import { backoff } from '../model/backoff.ts'
import type { Listener, Live } from './live.ts'

// Members keeps who is in a presence channel. Somebody with two windows is one member.
class Members {
  #list = new Map<number, MemberInfo>()

  constructor(private readonly tell: (members: MemberInfo[]) => void) {}

  here = (members: MemberInfo[]) => this.#change(() => {
    this.#list = new Map(members.map(member => [member.id, member]))
  })
  joining = (member: MemberInfo) => this.#change(() => this.#list.set(member.id, member))
  leaving = (member: MemberInfo) => this.#change(() => this.#list.delete(member.id))

  #change(change: () => void): void {
    change()
    this.tell([...this.#list.values()])
  }
}

const PATIENCE = 3000

export class Socket implements Live {
  #echo: Echo<'reverb'>
  #following: number | null = null
  #isLooking = false
  #isViewing = false
  #wasConnected = false
  #attempt = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly client: Client, config: Config, user: number, private readonly listener: Listener,
  ) {
    this.#echo = new Echo({
      broadcaster: 'reverb',
      Pusher,
      key: config.key,
      wsHost: config.host || location.hostname,
      wsPort: config.port,
      wssPort: config.port,
      wsPath: config.path,
      forceTLS: config.scheme === 'https',
      enabledTransports: ['ws', 'wss'],
      channelAuthorization: { customHandler: this.#authorize },
    })
    this.#connection.bind('state_change', this.#changed)
    this.#subscribe(user)
  }

  get #connection() {
    return this.#echo.connector.pusher.connection
  }

  follow(id: number | null): void {
    if (this.#following === id) return
    this.#leave()
    this.#following = id
    if (id === null) return
    this.#echo.private(`conversation.${id}`)
      .subscribed(() => this.listener.conversationReady(id))
      .listen('.message.created', (message: Message) => this.listener.message(message))
      .listen('.message.updated', (message: Message) => this.listener.message(message))
      .listen('.message.deleted', (message: Message) => this.listener.message(message))
      .listen('.message.read', (marker: ReadMarker) => this.listener.read(marker))
      .listen('.typing.started', (typing: Typing) => this.listener.typing(typing, true))
      .listen('.typing.stopped', (typing: Typing) => this.listener.typing(typing, false))
    this.#look()
  }

  view(isLooking: boolean): void {
    this.#isLooking = isLooking
    this.#look()
  }

  retry(): void {
    clearTimeout(this.#timer)
    if (this.#connection.state === 'connected') return
    this.#echo.connector.pusher.disconnect()
    this.#echo.connector.pusher.connect()
  }

  socketID(): string | undefined {
    return this.#connection.state === 'connected' ? this.#echo.socketId() : undefined
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#connection.unbind('state_change', this.#changed)
    this.#echo.disconnect()
  }

  #subscribe(user: number): void {
    this.#echo.private(`App.Models.User.${user}`)
      .subscribed(() => this.listener.inboxReady())
      .listen('.conversation.updated', (update: ConversationUpdated) => this.listener.updated(update))
      .listen('.notification.created', (notification: Notification) => this.listener.notified(notification))
    const online = new Members(members => this.listener.online(members))
    this.#echo.join('messaging').here(online.here).joining(online.joining).leaving(online.leaving)
  }

  // The presence channel of a conversation has those who look at it now, not those who have it open behind something.
  #look(): void {
    const id = this.#following
    if (id === null || this.#isLooking === this.#isViewing) return
    this.#isViewing = this.#isLooking
    if (!this.#isLooking) return this.#echo.leaveChannel(`presence-conversation.${id}`)
    const viewing = new Members(members => this.listener.viewing(id, members))
    this.#echo.join(`conversation.${id}`).here(viewing.here).joining(viewing.joining).leaving(viewing.leaving)
  }

  #leave(): void {
    if (this.#following !== null) this.#echo.leave(`conversation.${this.#following}`)
    this.#isViewing = false
  }

  #changed = ({ current }: { current: string }): void => {
    const isConnected = current === 'connected'
    this.#wasConnected ||= isConnected
    const isLost = this.#wasConnected || this.#attempt > 0
    this.listener.connection(isConnected ? 'connected' : isLost ? 'lost' : 'connecting')
    if (isConnected) {
      this.#attempt = 0
      clearTimeout(this.#timer)
    } else {
      this.#hurry()
    }
  }

  // pusher-js tries again after a second, and if nobody listens then, only 15 seconds later, then after 30 more. Most
  // restarts are over sooner. An attempt that is only slow must not be cut short by this.
  #hurry(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#attempt++
      this.retry()
    }, PATIENCE + backoff(this.#attempt, Math.random()))
  }

  // pusher-js asks once, and a subscription that could not be authorised just then would be missing until the
  // next reconnect. What it asks for is outdated once the socket has another id.
  #authorize = async (
    { socketId, channelName }: { socketId: string, channelName: string },
    callback: (error: Error | null, data: ChannelAuth | null) => void,
  ): Promise<void> => {
    for (let attempt = 0; this.#connection.socket_id === socketId; attempt++) {
      try {
        const auth = await this.client.channelAuth(socketId, channelName)
        if (this.#connection.socket_id === socketId) callback(null, auth)
        return
      } catch (error) {
        if (!(error instanceof ApiError) || !error.isPassing) return this.#refuse(channelName, error as Error, callback)
        await new Promise(resolve => setTimeout(resolve, backoff(attempt, Math.random())))
      }
    }
  }

  #refuse(channel: string, error: Error, callback: (error: Error | null, data: null) => void): void {
    if (channel === `private-conversation.${this.#following}`) this.listener.refused(this.#following!)
    callback(error, null)
  }
}
