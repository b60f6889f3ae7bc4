import { useEffect, useState } from 'preact/hooks'
import type { App } from '../app/app.ts'
import type { State } from '../app/store.ts'
import { find } from '../model/inbox.ts'
import { ConnectionBanner } from './ConnectionBanner.tsx'
import { AppContext } from './context.ts'
import { Login } from './Login.tsx'
import { NewConversation } from './NewConversation.tsx'
import { Notifications } from './Notifications.tsx'
import { Shortcuts, useShortcuts } from './Shortcuts.tsx'
import { Sidebar } from './Sidebar.tsx'
import { Loading, Nothing, Unreachable } from './Status.tsx'
import { ThreadView } from './ThreadView.tsx'
import type { Window } from './windows.ts'

export function Page({ app, state }: { app: App, state: State }) {
  return (
    <AppContext.Provider value={app}>
      {state.phase === 'starting' && <Loading />}
      {state.phase === 'unreachable' && <Unreachable />}
      {state.phase === 'signed-out' && <Login config={state.config} />}
      {state.phase === 'ready' && <Messages app={app} state={state} />}
      <p class="hidden" role="status">{state.announcement}</p>
    </AppContext.Provider>
  )
}

function Messages({ app, state }: { app: App, state: State }) {
  const [open, setOpen] = useState<Window>(null)
  const close = () => setOpen(null)
  useShortcuts(app, setOpen)
  return (
    <main class={`layout ${state.openID === null ? 'shows-list' : 'shows-thread'}`}>
      <h1 class="hidden">Messages</h1>
      <ConnectionBanner state={state} />
      <Sidebar state={state} onOpen={setOpen} />
      <section class="main" aria-label="Conversation">
        {state.openID === null
          ? <Nothing onNew={() => setOpen('new')} />
          : <ThreadView key={state.openID} state={state} conversation={find(state.inbox, state.openID)} />}
      </section>
      {open === 'new' && <NewConversation me={state.me!.id} onClose={close} />}
      {open === 'notifications' && <Notifications state={state} onClose={close} />}
      {open === 'shortcuts' && <Shortcuts onClose={close} />}
      <Toast text={state.toast} onGone={() => app.store.set({ toast: '' })} />
    </main>
  )
}

const TOAST = 6000

function Toast({ text, onGone }: { text: string, onGone: () => void }) {
  useEffect(() => {
    if (!text) return
    const timer = setTimeout(onGone, TOAST)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <div class="toasts" role="alert">
      {text && <p class="toast">{text}<button type="button" class="link" onClick={onGone}>Dismiss</button></p>}
    </div>
  )
}
