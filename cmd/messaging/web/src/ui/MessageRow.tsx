import { Component } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Entry } from '../model/entries.ts'
import { clock, fullTime, listNames, segments } from '../model/format.ts'
import { same } from '../model/same.ts'
import { Avatar, type Face, Faces } from './Avatar.tsx'
import { grow } from './Composer.tsx'
import { useApp } from './context.ts'
import { Confirm } from './Dialog.tsx'
import { Icon } from './Icon.tsx'
import { Menu } from './Menu.tsx'

export interface Reader extends Face {
  at: string | null
}

interface Props {
  entry: Entry
  first: boolean // of a group by one sender
  last: boolean
  isOwn: boolean
  isGroup: boolean
  isRead: boolean
  readers: Reader[] // who have read up to here
  isEditing: boolean
  onEdit: (id: number | null) => void
}

// MessageRow is drawn again only if it would look different: a list may have a thousand of them.
export class MessageRow extends Component<Props> {
  shouldComponentUpdate(next: Props): boolean {
    return !same(this.props, next)
  }

  render({ entry, first, last, isOwn, isGroup, isRead, readers, isEditing, onEdit }: Props) {
    return (
      <li class={`message ${isOwn ? 'own' : ''} ${first ? 'first' : ''} ${last ? 'last' : ''} ${entry.state}`}
        data-id={entry.id} data-uuid={entry.uuid} data-client-temp-id={entry.clientTempID} data-state={entry.state}>
        {!isOwn && <span class="message-face">{last && <Avatar user={entry.sender} size="s" />}</span>}
        <div class="message-main">
          <span class={isGroup && !isOwn && first ? `sender hue-${entry.sender.id % 8}` : 'hidden'}>{isOwn ? 'You' : entry.sender.name}</span>
          <div class="message-line">
            {isOwn && entry.state === 'stored' && !entry.deletedAt && !isEditing && <Actions entry={entry} onEdit={onEdit} />}
            {isEditing ? <Editor entry={entry} onDone={() => onEdit(null)} /> : <Bubble entry={entry} isOwn={isOwn} isRead={isRead} />}
          </div>
          {(entry.state === 'failed' || entry.state === 'waiting') && <Unsent entry={entry} />}
          {readers.length > 0 && <Receipts readers={readers} isGroup={isGroup} />}
        </div>
      </li>
    )
  }
}

function Bubble({ entry, isOwn, isRead }: { entry: Entry, isOwn: boolean, isRead: boolean }) {
  return (
    <div class={`bubble ${entry.deletedAt ? 'deleted' : ''}`}>
      <span class="body">{entry.deletedAt ? 'This message was deleted' : <Body text={entry.body} />}{entry.truncated && '…'}</span>
      <span class="meta">
        {entry.editedAt && !entry.deletedAt && <span>edited</span>}
        <time dateTime={entry.createdAt} title={fullTime(entry.createdAt)}>{clock(entry.createdAt)}</time>
        {isOwn && !entry.deletedAt && <Tick entry={entry} isRead={isRead} />}
      </span>
    </div>
  )
}

function Body({ text }: { text: string }) {
  return <>{segments(text).map(({ text: part, href }) => href ? <a href={href} target="_blank" rel="noopener noreferrer">{part}</a> : part)}</>
}

function Tick({ entry, isRead }: { entry: Entry, isRead: boolean }) {
  const [icon, label] = entry.state === 'failed' ? ['warning', 'not sent'] as const
    : entry.state !== 'stored' ? ['clock', 'sending'] as const
      : isRead ? ['checks', 'read'] as const : ['check', 'sent'] as const
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

function Receipts({ readers, isGroup }: { readers: Reader[], isGroup: boolean }) {
  const { at } = readers[0]!
  return (
    <p class="receipts">
      {isGroup ? <><Faces users={readers} />Read by {listNames(readers.map(({ name }) => name.split(' ')[0]!))}</> : <>Read{at && ` ${clock(at)}`}</>}
    </p>
  )
}
