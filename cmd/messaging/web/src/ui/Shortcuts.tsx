import { useEffect } from 'preact/hooks'
import type { App } from '../app/app.ts'
import { Dialog } from './Dialog.tsx'
import type { Window } from './windows.ts'

const shortcuts: [string[], string][] = [
  [['Ctrl', 'K'], 'Search conversations'],
  [['Alt', 'N'], 'New conversation'],
  [['Alt', '↑'], 'Conversation above'],
  [['Alt', '↓'], 'Conversation below'],
  [['Enter'], 'Send'],
  [['Shift', 'Enter'], 'New line'],
  [['↑'], 'Edit your last message, when nothing is written'],
  [['Esc'], 'Stop editing, or close the conversation'],
  [['?'], 'This list'],
]

export function Shortcuts({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose} class="narrow">
      <dl class="shortcuts">
        {shortcuts.map(([keys, text]) => (
          <div key={text}>
            <dt>{text}</dt>
            <dd>{keys.map(key => <kbd key={key}>{key}</kbd>)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}

// useShortcuts listens to the keys that work everywhere, except while a dialog is open.
export function useShortcuts(app: App, setOpen: (window: Window) => void): void {
  useEffect(() => {
    const handle = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || document.querySelector('dialog[open]')) return
      const run = action(event, app, setOpen)
      if (!run) return
      event.preventDefault()
      run()
    }
    addEventListener('keydown', handle)
    return () => removeEventListener('keydown', handle)
  }, [])
}

function action(event: KeyboardEvent, app: App, setOpen: (window: Window) => void): (() => void) | undefined {
  const isTyping = (event.target as HTMLElement).matches('input, textarea')
  const { altKey: alt, code, key } = event
  if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === 'k') return focusSearch
  if (alt && code === 'KeyN') return () => setOpen('new')
  if (alt && key === 'ArrowUp') return () => move(app, -1)
  if (alt && key === 'ArrowDown') return () => move(app, 1)
  if (key === 'Escape' && app.store.state.openID !== null) return () => app.open(null)
  if (key === '?' && !isTyping) return () => setOpen('shortcuts')
  return undefined
}

function focusSearch(): void {
  document.querySelector<HTMLInputElement>('#search')?.focus()
}

function move(app: App, by: number): void {
  const { inbox: { conversations }, openID } = app.store.state
  const at = conversations.findIndex(({ id }) => id === openID)
  const next = conversations[at < 0 ? 0 : at + by]
  if (next) app.open(next.id)
}
