import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Conversation } from '../api/types.ts'
import type { State } from '../app/store.ts'
import { badge, count, dayLabel } from '../model/format.ts'
import { rows } from '../model/rows.ts'
import { readUpTo, type Receipt, receipts, type Thread } from '../model/thread.ts'
import { useApp } from './context.ts'
import { Icon } from './Icon.tsx'
import { MessageRow, type Reader } from './MessageRow.tsx'

// NEAR is how many pixels from an end count as being there.
const NEAR = 80

export function MessageList({ state, thread, conversation, editing, onEdit }: {
  state: State, thread: Thread, conversation: Conversation | undefined, editing: number | null, onEdit: (id: number | null) => void,
}) {
  const app = useApp()
  const me = state.me!
  const { list, isAtEnd, toEnd, onScroll } = useScrolling(thread)
  useEffect(() => {
    const look = () => { if (isAtEnd && document.visibilityState === 'visible') app.thread.seen() }
    look()
    document.addEventListener('visibilitychange', look)
    return () => document.removeEventListener('visibilitychange', look)
  }, [isAtEnd, thread.entries])

  const all = useMemo(() => rows(thread.entries, thread.firstUnread), [thread.entries, thread.firstUnread])
  const shown = useMemo(() => receipts(thread, me.id), [thread.entries, thread.markers])
  const read = readUpTo(thread, me.id)
  const people = new Map(conversation?.participants?.map(person => [person.id, person]))
  const readers = (list: readonly Receipt[] = []) => list.flatMap(({ userID, at }): Reader[] => {
    const user = people.get(userID)
    return user ? [{ id: user.id, name: user.name, avatar_url: user.avatar_url, at }] : []
  })
  return (
    <div class="messages-frame">
      <div class="messages" ref={list} onScroll={onScroll} tabIndex={0} role="log" aria-label="Messages">
        {thread.hasOlder && <Older isLoading={state.isLoadingOlder} />}
        {thread.entries.length === 0 && <p class="muted center">Nothing written yet. Say hello.</p>}
        <ol>
          {all.map(row => {
            if (row.kind === 'day') return <li key={row.key} class="day"><span>{dayLabel(row.at, Date.now())}</span></li>
            if (row.kind === 'new') return <li key={row.key} class="new"><span>New</span></li>
            const { entry, entry: { id }, first, last } = row
            return <MessageRow key={row.key} entry={entry} first={first} last={last} isOwn={entry.sender.id === me.id} isGroup={conversation?.type === 'group'}
              isRead={id !== null && id <= read} readers={readers(id === null ? [] : shown.get(id))}
              isEditing={id !== null && id === editing} onEdit={onEdit} />
          })}
        </ol>
      </div>
      {!isAtEnd && <ToEnd unread={conversation?.unread_count ?? 0} onClick={toEnd} />}
    </div>
  )
}

function Older({ isLoading }: { isLoading: boolean }) {
  const app = useApp()
  return (
    <div class="older">
      {isLoading
        ? <div class="progress" role="progressbar" aria-label="Loading older messages" />
        : <button type="button" class="link" onClick={() => app.thread.older()}>Load older messages</button>}
    </div>
  )
}

function ToEnd({ unread, onClick }: { unread: number, onClick: () => void }) {
  return (
    <button type="button" class="to-end" aria-label={unread ? `${count(unread, 'new message')}, go to the newest` : 'Go to the newest message'} onClick={onClick}>
      <Icon name="down" />{unread > 0 && <span class="badge" aria-hidden="true">{badge(unread)}</span>}
    </button>
  )
}

// useScrolling keeps the reader where they are: at the end while new messages come, or at the message they are reading
// while older ones are put above it.
function useScrolling(thread: Thread) {
  const app = useApp()
  const list = useRef<HTMLDivElement>(null)
  const [isAtEnd, setAtEnd] = useState(true)
  const before = useRef({ first: '', last: '', height: 0, isAtEnd: true })
  const toEnd = () => { list.current!.scrollTop = list.current!.scrollHeight }

  useLayoutEffect(() => {
    const { current: box } = list
    const { first, last, height, isAtEnd: wasAtEnd } = before.current
    const [oldest, newest] = [thread.entries[0], thread.entries.at(-1)]
    const isFirstTime = first === ''
    const wroteLast = newest?.key !== last && newest?.state === 'sending'
    if (isFirstTime) toBeginning(box!)
    else if (wasAtEnd || wroteLast) toEnd()
    else if (oldest?.key !== first) box!.scrollTop += box!.scrollHeight - height
    before.current = { ...before.current, first: oldest?.key ?? ' ', last: newest?.key ?? '', height: box!.scrollHeight }
    if (isFirstTime) onScroll()
  }, [thread.entries])

  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = list.current!
    const isNow = scrollHeight - scrollTop - clientHeight < NEAR
    before.current.isAtEnd = isNow
    setAtEnd(isNow)
    if (scrollTop < NEAR && scrollHeight > clientHeight) void app.thread.older()
  }
  useStayAtEnd(list, before)
  return { list, isAtEnd, toEnd, onScroll }
}

// toBeginning shows where the new messages begin, or the end.
function toBeginning(box: HTMLElement): void {
  box.scrollTop = box.scrollHeight
  const mark = box.querySelector<HTMLElement>('.new')
  if (mark && mark.offsetTop < box.scrollTop) box.scrollTop = mark.offsetTop - NEAR
}

// The keyboard of a phone, a growing composer or the window's edge take room from the list.
function useStayAtEnd(list: { current: HTMLDivElement | null }, before: { current: { isAtEnd: boolean } }): void {
  useEffect(() => {
    const observer = new ResizeObserver(() => {
      if (before.current.isAtEnd) list.current!.scrollTop = list.current!.scrollHeight
    })
    observer.observe(list.current!)
    observer.observe(list.current!.querySelector('ol')!)
    return () => observer.disconnect()
  }, [])
}
