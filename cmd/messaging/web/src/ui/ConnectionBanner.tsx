import { useEffect, useState } from 'preact/hooks'
import type { State } from '../app/store.ts'
import { useApp } from './context.ts'

const BACK = 2500

// ConnectionBanner says when the page is not live, and for a moment when it is so again.
export function ConnectionBanner({ state: { connection, isCatchingUp } }: { state: State }) {
  const isBack = useIsBack(connection === 'connected', connection === 'lost')
  return (
    <div class="banners" role="status">
      {connection === 'lost' && <Lost />}
      {connection === 'connected' && isBack && <p class="banner good">{isCatchingUp ? 'Connected again. Catching up…' : 'Connected again.'}</p>}
    </div>
  )
}

function Lost() {
  const app = useApp()
  return (
    <div class="banner bad">
      <span class="spinner" aria-hidden="true" />
      <span>The connection was lost. Reconnecting…</span>
      <button type="button" class="link" onClick={() => app.retry()}>Try now</button>
    </div>
  )
}

function useIsBack(isConnected: boolean, isLost: boolean): boolean {
  const [wasLost, setLost] = useState(false)
  useEffect(() => {
    if (isLost) setLost(true)
    if (!isConnected || !wasLost) return
    const timer = setTimeout(() => setLost(false), BACK)
    return () => clearTimeout(timer)
  }, [isConnected, isLost, wasLost])
  return wasLost
}

// ConnectionState is the same in few words, for the side of the page.
export function ConnectionState({ state: { connection, config } }: { state: State }) {
  const texts = {
    connecting: 'Connecting…',
    connected: 'Live',
    lost: 'Reconnecting…',
    polling: `Checking every ${Math.max(1, Math.round((config?.poll_interval_ms ?? 0) / 1000))} s`,
  }
  return <span class={`connection ${connection}`} data-connection={connection}>{texts[connection]}</span>
}
