import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Participant } from '../api/types.ts'
import type { Entry } from '../model/entries.ts'
import { clock, fullTime, listNames, segments } from '../model/format.ts'
import type { Row } from '../model/rows.ts'
import type { Receipt } from '../model/thread.ts'
import { Avatar, Faces } from './Avatar.tsx'
import { grow } from './Composer.tsx'
import { useApp } from './context.ts'
import { Confirm } from './Dialog.tsx'
import { Icon } from './Icon.tsx'
import { Menu } from './Menu.tsx'

interface Props {
  row: Extract<Row, { kind: 'message' }>
  isOwn: boolean
  isGroup: boolean
  people: readonly Participant[]
  receipts: Receipt[] | undefined
  readers: number
  isEditing: boolean
  onEdit: (id: number | null) => void
}

export function MessageRow({ row, isOwn, isGroup, people, receipts, readers, isEditing, onEdit }: Props) {
  const { entry, first, last } = row
  return (
    <li class={`message ${isOwn ? 'own' : ''} ${first ? 'first' : ''} ${last ? 'last' : ''} ${entry.state}`}
      data-id={entry.id} data-uuid={entry.uuid} data-client-temp-id={entry.clientTempID} data-state={entry.state}>
      {!isOwn && <span class="message-face">{last && <Avatar user={entry.sender} size="s" />}</span>}
      <div class="message-main">
        <span class={isGroup && !isOwn && first ? `sender hue-${entry.sender.id % 8}` : 'hidden'}>{isOwn ? 'You' : entry.sender.name}</span>
        <div class="message-line">
          {isOwn && entry.state === 'stored' && !entry.deletedAt && !isEditing && <Actions entry={entry} onEdit={onEdit} />}
          {isEditing ? <Editor entry={entry} onDone={() => onEdit(null)} /> : <Bubble entry={entry} isOwn={isOwn} readers={readers} />}
        </div>
        {(entry.state === 'failed' || entry.state === 'waiting') && <Unsent entry={entry} />}
        {receipts && <Receipts receipts={receipts} people={people} isGroup={isGroup} />}
      </div>
    </li>
  )
}

function Bubble({ entry, isOwn, readers }: { entry: Entry, isOwn: boolean, readers: number }) {
  return (
    <div class={`bubble ${entry.deletedAt ? 'deleted' : ''}`}>
      <span class="body">{entry.deletedAt ? 'This message was deleted' : <Body text={entry.body} />}{entry.truncated && '…'}</span>
      <span class="meta">
        {entry.editedAt && !entry.deletedAt && <span>edited</span>}
        <time dateTime={entry.createdAt} title={fullTime(entry.createdAt)}>{clock(entry.createdAt)}</time>
        {isOwn && !entry.deletedAt && <Tick entry={entry} readers={readers} />}
      </span>
    </div>
  )
}

function Body({ text }: { text: string }) {
  return <>{segments(text).map(({ text: part, href }) => href ? <a href={href} target="_blank" rel="noopener noreferrer">{part}</a> : part)}</>
}

function Tick({ entry, readers }: { entry: Entry, readers: number }) {
  const [icon, label] = entry.state === 'failed' ? ['warning', 'not sent'] as const
    : entry.state !== 'stored' ? ['clock', 'sending'] as const
      : readers > 0 ? ['checks', 'read'] as const : ['check', 'sent'] as const
  return <span class={`tick ${label.replace(' ', '-')}`} role="img" aria-label={label} title={label}><Icon name={icon} /></span>
}

function Actions({ entry, onEdit }: { entry: Entry, onEdit: (id: number | null) => void }) {
  const app = useApp()
  const [isDeleting, setDeleting] = useState(false)
  return (
    <span class="actions">
      <Menu label="Message options" class="icon-button small" items={[
        { label: 'Edit', icon: 'pencil', run: () => onEdit(entry.id) },
        { label: 'Copy', icon: 'copy', run: () => void navigator.clipboard?.writeText(entry.body) },
        { label: 'Delete', icon: 'trash', isDangerous: true, run: () => setDeleting(true) },
      ]}><Icon name="more" /></Menu>
      {isDeleting && <Confirm title="Delete message" text="It is deleted for everybody, and cannot be brought back." action="Delete"
        onConfirm={() => void app.thread.remove(entry.id!)} onClose={() => setDeleting(false)} />}
    </span>
  )
}

function Editor({ entry, onDone }: { entry: Entry, onDone: () => void }) {
  const app = useApp()
  const [text, setText] = useState(entry.body)
  const area = useRef<HTMLTextAreaElement>(null)
  useLayoutEffect(() => grow(area.current!), [text])
  useLayoutEffect(() => {
    area.current!.focus()
    area.current!.setSelectionRange(entry.body.length, entry.body.length)
  }, [])
  const save = () => {
    const body = text.trim()
    if (!body || [...body].length > 5000) return
    onDone()
    if (body !== entry.body) void app.thread.edit(entry.id!, body)
  }
  const handleKey = (event: KeyboardEvent) => {
    if (event.isComposing) return
    if (event.key === 'Enter' && !event.shiftKey) save()
    else if (event.key === 'Escape') onDone()
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div class="editor">
      <textarea ref={area} rows={1} aria-label="Edit message" value={text} onInput={event => setText(event.currentTarget.value)} onKeyDown={handleKey} />
      <div class="editor-buttons">
        <button type="button" class="button small" onClick={onDone}>Cancel</button>
        <button type="button" class="button small primary" onClick={save}>Save</button>
      </div>
    </div>
  )
}

function Unsent({ entry }: { entry: Entry }) {
  const app = useApp()
  return (
    <p class="unsent" role="alert">
      <span>{entry.state === 'failed' ? `Not sent: ${entry.problem}` : 'Waiting for the server…'}</span>
      <button type="button" class="link" onClick={() => app.sender.retry(entry.clientTempID!)}>Try again</button>
      {entry.state === 'failed' && <button type="button" class="link" onClick={() => app.sender.discard(entry)}>Discard</button>}
    </p>
  )
}

function Receipts({ receipts, people, isGroup }: { receipts: Receipt[], people: readonly Participant[], isGroup: boolean }) {
  const readers = receipts.map(({ userID }) => people.find(({ id }) => id === userID)).filter(user => user !== undefined)
  if (readers.length === 0) return null
  const at = receipts[0]!.at
  return (
    <p class="receipts">
      {isGroup ? <><Faces users={readers} />Read by {listNames(readers.map(({ name }) => name.split(' ')[0]!))}</> : <>Read{at && ` ${clock(at)}`}</>}
    </p>
  )
}
