import { useState } from 'preact/hooks'
import type { Conversation } from '../api/types.ts'
import type { State } from '../app/store.ts'
import { badge, count, fullTime, shortTime } from '../model/format.ts'
import { titleOf } from '../model/inbox.ts'
import { Avatar, ConversationAvatar } from './Avatar.tsx'
import { ConnectionState } from './ConnectionBanner.tsx'
import { useApp } from './context.ts'
import { Icon } from './Icon.tsx'
import { Menu, type MenuItem } from './Menu.tsx'
import { setTheme, theme } from './theme.ts'
import type { Window } from './windows.ts'

export function Sidebar({ state, onOpen }: { state: State, onOpen: (window: Window) => void }) {
  const [search, setSearch] = useState('')
  return (
    <nav class="sidebar" aria-label="Conversations">
      <header class="sidebar-head">
        <h2>Messages{state.inbox.unreadTotal > 0 && <UnreadTotal total={state.inbox.unreadTotal} />}</h2>
        <button type="button" class="icon-button" title="Notifications" aria-label={bellLabel(state.unreadNotifications)}
          onClick={() => onOpen('notifications')}>
          <Icon name="bell" />
          {state.unreadNotifications > 0 && <span class="badge corner" aria-hidden="true">{badge(state.unreadNotifications)}</span>}
        </button>
        <button type="button" class="icon-button accent" title="New conversation" aria-label="New conversation" onClick={() => onOpen('new')}>
          <Icon name="plus" />
        </button>
      </header>
      <div class="search">
        <Icon name="search" />
        <input id="search" type="search" placeholder="Search conversations" aria-label="Search conversations" autocomplete="off"
          value={search} onInput={event => setSearch(event.currentTarget.value)} />
      </div>
      <List state={state} search={search.trim().toLocaleLowerCase()} onNew={() => onOpen('new')} />
      <Account state={state} onOpen={onOpen} />
    </nav>
  )
}

function UnreadTotal({ total }: { total: number }) {
  return <span class="badge" data-unread-total={total}><span class="hidden">, unread: </span>{badge(total)}</span>
}

const bellLabel = (unread: number) => unread ? `Notifications, ${unread} unread` : 'Notifications'

function List({ state, search, onNew }: { state: State, search: string, onNew: () => void }) {
  const app = useApp()
  const { inbox, me, inboxProblem } = state
  const shown = inbox.conversations.filter(conversation => matches(conversation, search, me!.id))
  if (!inbox.loaded) return inboxProblem ? <Problem text={inboxProblem} /> : <Skeleton />
  return (
    <div class="list">
      {inboxProblem && <Problem text={inboxProblem} />}
      {inbox.conversations.length === 0 && <Empty onNew={onNew} />}
      {search && shown.length === 0 && <p class="muted pad">Nothing called “{search}”.</p>}
      <ul>{shown.map(conversation => <Line key={conversation.id} conversation={conversation} state={state} />)}</ul>
      {inbox.hasMore && (
        <button type="button" class="button wide" disabled={state.isLoadingMore} onClick={() => app.inbox.more()}>
          {state.isLoadingMore ? 'Loading…' : 'Older conversations'}
        </button>
      )}
    </div>
  )
}

function matches(conversation: Conversation, search: string, me: number): boolean {
  const names = (conversation.participants ?? []).map(({ name }) => name)
  return [titleOf(conversation, me), ...names].some(text => text.toLocaleLowerCase().includes(search))
}

function Problem({ text }: { text: string }) {
  return <p class="note bad"><Icon name="warning" />{text} It is tried again by itself.</p>
}

function Empty({ onNew }: { onNew: () => void }) {
  return (
    <div class="center">
      <p class="muted">No conversations yet.</p>
      <button type="button" class="button" onClick={onNew}>Start one</button>
    </div>
  )
}

function Skeleton() {
  return (
    <div class="list" aria-busy="true">
      <div class="hidden" role="progressbar" aria-label="Loading conversations" />
      {[70, 45, 60, 52, 66].map(width => (
        <div key={width} class="skeleton"><i class="avatar avatar-m" /><div><i class={`w-${width > 58 ? 'l' : 's'}`} /><i class="w-l" /></div></div>
      ))}
    </div>
  )
}

function Line({ conversation, state }: { conversation: Conversation, state: State }) {
  const { me, online, openID } = state
  const { id, unread_count: unread, last_message_at: at } = conversation
  const isOpen = id === openID
  return (
    <li>
      <a href={`#/c/${id}`} class={`line ${unread ? 'unread' : ''}`} aria-current={isOpen ? 'page' : undefined} data-conversation={id}>
        <ConversationAvatar conversation={conversation} me={me!.id} online={online} />
        <span class="line-text">
          <span class="line-top">
            <span class="line-title">{titleOf(conversation, me!.id)}</span>
            {conversation.muted_at && <span class="muted-icon" role="img" aria-label="muted"><Icon name="bellOff" /></span>}
            {at && <time dateTime={at} title={fullTime(at)}>{shortTime(at, Date.now())}</time>}
          </span>
          <span class="line-bottom">
            <span class="preview">{preview(conversation, me!.id)}</span>
            {unread > 0 && <span class="badge" data-unread={unread}><span class="hidden">{count(unread, 'unread message')}</span><span aria-hidden="true">{badge(unread)}</span></span>}
          </span>
        </span>
      </a>
    </li>
  )
}

function preview({ last_message: last, type }: Conversation, me: number): string {
  if (!last) return 'Nothing written yet'
  const body = last.deleted_at ? 'Message deleted' : last.body
  if (last.sender_id === me) return `You: ${body}`
  return type === 'group' ? `${last.sender.name.split(' ')[0]}: ${body}` : body
}

function Account({ state, onOpen }: { state: State, onOpen: (window: Window) => void }) {
  const app = useApp()
  const [chosen, setChosen] = useState(theme())
  const me = state.me!
  const choose = (next: 'system' | 'light' | 'dark') => {
    setTheme(next)
    setChosen(next)
  }
  const items: MenuItem[] = [
    chosen === 'dark' ? { label: 'Light', icon: 'sun', run: () => choose('light') } : { label: 'Dark', icon: 'moon', run: () => choose('dark') },
    { label: 'Keyboard shortcuts', icon: 'keyboard', run: () => onOpen('shortcuts') },
    { label: 'Sign out', icon: 'logout', run: () => void app.logout() },
  ]
  if (chosen !== 'system') items.splice(1, 0, { label: 'Like the system', icon: 'clock', run: () => choose('system') })
  if (me.is_admin) items.splice(-1, 0, { label: 'Queues', icon: 'queue', run: () => location.assign('/horizon') })
  return (
    <footer class="account">
      <Avatar user={me} isOnline={state.online.has(me.id)} />
      <span class="account-text"><strong>{me.name}</strong><ConnectionState state={state} /></span>
      <Menu label="Account" items={items}><Icon name="more" /></Menu>
    </footer>
  )
}
