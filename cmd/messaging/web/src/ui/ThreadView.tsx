import { useState } from 'preact/hooks'
import type { Conversation } from '../api/types.ts'
import type { State } from '../app/store.ts'
import type { Entry } from '../model/entries.ts'
import { count, listNames, typingLine } from '../model/format.ts'
import { otherOf, titleOf } from '../model/inbox.ts'
import { Composer } from './Composer.tsx'
import { ConversationAvatar, Faces } from './Avatar.tsx'
import { useApp } from './context.ts'
import { Icon } from './Icon.tsx'
import { Menu } from './Menu.tsx'
import { MessageList } from './MessageList.tsx'
import { Missing } from './Status.tsx'

export function ThreadView({ state, conversation }: { state: State, conversation: Conversation | undefined }) {
  const app = useApp()
  const [editing, setEditing] = useState<number | null>(null)
  const { thread, threadProblem, me, typists, isCatchingUp } = state
  if (threadProblem === 'missing' || !thread) return <Missing />
  const editLast = () => setEditing(lastOwn(thread.entries, me!.id))
  return (
    <>
      <Head state={state} conversation={conversation} />
      {isCatchingUp && <div class="progress slim" role="progressbar" aria-label="Catching up" />}
      {thread.loaded
        ? <MessageList state={state} thread={thread} conversation={conversation} editing={editing} onEdit={setEditing} />
        : <Loading isTrying={threadProblem === 'unreachable'} />}
      <div class="below">
        <p class="typing" aria-live="polite">
          {typists.length > 0 && <><span class="typing-dots" aria-hidden="true"><i /><i /><i /></span>{typingLine(typists.map(({ user }) => user.name))}</>}
        </p>
        <Composer id={thread.id} name={conversation ? titleOf(conversation, me!.id) : ''} isReady={thread.loaded} onEditLast={editLast}
          onSend={body => {
            app.attendance.stopWriting()
            app.sender.send(thread.id, body)
          }} />
      </div>
    </>
  )
}

function lastOwn(entries: readonly Entry[], me: number): number | null {
  return entries.findLast(({ id, sender, deletedAt }) => id !== null && sender.id === me && !deletedAt)?.id ?? null
}

function Loading({ isTrying }: { isTrying: boolean }) {
  return (
    <div class="messages" aria-busy="true">
      <div class="progress slim" role="progressbar" aria-label="Loading messages" />
      {isTrying
        ? <p class="note bad"><Icon name="warning" />The server cannot be reached. It is tried again by itself.</p>
        : <div class="skeleton-messages" aria-hidden="true"><i /><i /><i class="own" /><i /><i class="own" /></div>}
    </div>
  )
}

function Head({ state, conversation }: { state: State, conversation: Conversation | undefined }) {
  const app = useApp()
  const me = state.me!.id
  return (
    <header class="thread-head">
      <button type="button" class="icon-button back" aria-label="Back to conversations" title="Back" onClick={() => app.open(null)}><Icon name="back" /></button>
      {conversation && <ConversationAvatar conversation={conversation} me={me} online={state.online} />}
      <div class="thread-title">
        <h2>{conversation ? titleOf(conversation, me) : 'Loading…'}</h2>
        <p class="muted">{conversation && subtitle(conversation, me, state.online)}</p>
      </div>
      <Viewing state={state} />
      {conversation && (
        <Menu label="Conversation options" items={[conversation.muted_at
          ? { label: 'Unmute', icon: 'bell', run: () => void app.inbox.mute(conversation.id, false) }
          : { label: 'Mute', icon: 'bellOff', run: () => void app.inbox.mute(conversation.id, true) }]}>
          <Icon name="more" />
        </Menu>
      )}
    </header>
  )
}

function subtitle(conversation: Conversation, me: number, online: ReadonlySet<number>): string {
  const other = otherOf(conversation, me)
  if (other) return online.has(other.id) ? 'Online' : `@${other.username}`
  const people = conversation.participants ?? []
  const there = people.filter(({ id }) => online.has(id)).length
  return `${count(people.length, 'person', 'people')}${there ? ` · ${there} online` : ''}`
}

// Viewing says who has the conversation before their eyes now.
function Viewing({ state: { viewing, me } }: { state: State }) {
  if (viewing.length === 0) return null
  const names = viewing.map(({ id, name }) => id === me!.id ? 'you' : name)
  return (
    <div class="viewing" data-viewing={viewing.length} title={`Viewing now: ${listNames(names)}`}>
      <Faces users={viewing.filter(({ id }) => id !== me!.id)} most={3} />
      <Icon name="eye" /><span>{viewing.length}<span class="word"> viewing</span></span>
    </div>
  )
}
