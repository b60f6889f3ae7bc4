import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useApp } from './context.ts'
import { Icon } from './Icon.tsx'

const MOST = 5000
const WARN = 4500

// What was being written stays while another conversation is open.
const drafts = new Map<number, string>()

export function Composer({ id, name, isReady, onSend, onEditLast }: {
  id: number, name: string, isReady: boolean, onSend: (body: string) => void, onEditLast: () => void,
}) {
  const app = useApp()
  const [text, setText] = useState(drafts.get(id) ?? '')
  const area = useRef<HTMLTextAreaElement>(null)
  const length = [...text.trim()].length
  const canSend = isReady && length > 0 && length <= MOST

  useLayoutEffect(() => grow(area.current!), [text])
  useLayoutEffect(() => {
    // On a phone the keyboard would cover what is to be read. Elsewhere one may write while the messages are loaded.
    if (matchMedia('(hover: hover)').matches) area.current!.focus()
  }, [])

  const write = (value: string) => {
    drafts.set(id, value)
    setText(value)
    app.attendance.wrote(id, value)
  }
  // The text is taken from the draft, which is empty at once: a second click finds nothing to send, even before the
  // page is drawn again.
  const send = () => {
    const body = (drafts.get(id) ?? '').trim()
    if (!body || [...body].length > MOST || !isReady) return
    drafts.delete(id)
    setText('')
    onSend(body)
    area.current!.focus()
  }
  const handleKey = (event: KeyboardEvent) => {
    if (event.isComposing) return
    if (event.key === 'Enter' && !event.shiftKey) send()
    else if (event.key === 'ArrowUp' && !text && !event.altKey) onEditLast()
    else return
    event.preventDefault()
  }
  return (
    <form class="composer" onSubmit={event => {
      event.preventDefault()
      send()
    }}>
      <textarea ref={area} rows={1} aria-label={name ? `Message to ${name}` : 'Message'} placeholder="Write a message" value={text}
        enterkeyhint="send" onInput={event => write(event.currentTarget.value)} onKeyDown={handleKey} />
      {length > WARN && <span class={`counter ${length > MOST ? 'bad' : ''}`} role="status">{MOST - length}</span>}
      <button type="submit" class="send" aria-label="Send" title="Send" disabled={!canSend}><Icon name="send" /></button>
    </form>
  )
}

export function grow(area: HTMLTextAreaElement): void {
  area.style.height = 'auto'
  area.style.height = `${area.scrollHeight}px`
}
