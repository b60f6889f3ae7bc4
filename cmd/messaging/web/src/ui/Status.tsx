import { useApp } from './context.ts'
import { Icon } from './Icon.tsx'

export function Logo() {
  return <img class="logo" src="/icon.svg" alt="" width="40" height="40" />
}

export function Loading() {
  return (
    <main class="center" aria-busy="true">
      <Logo />
      <div class="progress" role="progressbar" aria-label="Loading" />
    </main>
  )
}

export function Unreachable() {
  const app = useApp()
  return (
    <main class="center">
      <Logo />
      <h1>The server cannot be reached</h1>
      <p class="muted">It is tried again by itself.</p>
      <div class="progress" role="progressbar" aria-label="Trying again" />
      <button type="button" class="button" onClick={() => app.start()}>Try now</button>
    </main>
  )
}

// Nothing is where the conversation will be.
export function Nothing({ onNew }: { onNew: () => void }) {
  return (
    <div class="center nothing">
      <svg class="picture" viewBox="0 0 160 120" aria-hidden="true">
        <rect class="back" x="14" y="16" width="92" height="56" rx="16" />
        <path class="back" d="M34 70v18l18-18z" />
        <rect class="front" x="58" y="42" width="90" height="52" rx="16" />
        <path class="front" d="M128 92v18l-18-18z" />
        <path class="line" d="M76 61h54M76 75h34" />
      </svg>
      <h2>Pick up where you left off</h2>
      <p class="muted">Choose a conversation, or start a new one.</p>
      <button type="button" class="button primary" onClick={onNew}><Icon name="plus" />New conversation</button>
    </div>
  )
}

export function Missing() {
  const app = useApp()
  return (
    <div class="center nothing">
      <span class="big-icon"><Icon name="search" /></span>
      <h2>This conversation is not here</h2>
      <p class="muted">It does not exist, or you are not part of it.</p>
      <button type="button" class="button" onClick={() => app.open(null)}>Back to messages</button>
    </div>
  )
}
