import { useState } from 'preact/hooks'
import type { ApiError } from '../api/client.ts'
import type { Config } from '../api/types.ts'
import { Avatar } from './Avatar.tsx'
import { useApp } from './context.ts'
import { Logo } from './Status.tsx'

export function Login({ config }: { config: Config | null }) {
  const app = useApp()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [problem, setProblem] = useState('')
  const [isBusy, setBusy] = useState(false)

  async function login(name: string, secret: string) {
    setBusy(true)
    setProblem('')
    try {
      await app.login(name, secret)
    } catch (error) {
      const { message, errors } = error as ApiError
      setProblem(Object.values(errors ?? {})[0]?.[0] ?? message)
      setBusy(false)
    }
  }

  return (
    <main class="center login">
      <div class="card">
        <Logo />
        <h1>Messages</h1>
        <form onSubmit={event => {
          event.preventDefault()
          void login(username, password)
        }}>
          <label>User name
            <input name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus
              value={username} onInput={event => setUsername(event.currentTarget.value)} />
          </label>
          <label>Password
            <input name="password" type="password" autocomplete="current-password" required
              value={password} onInput={event => setPassword(event.currentTarget.value)} />
          </label>
          <p class="problem" role="alert">{problem}</p>
          <button type="submit" class="button primary wide" disabled={isBusy}>{isBusy ? 'Signing in…' : 'Sign in'}</button>
        </form>
        {config?.demo_accounts && <Demo accounts={config.demo_accounts} isBusy={isBusy} onChoose={login} />}
      </div>
    </main>
  )
}

function Demo({ accounts, isBusy, onChoose }: {
  accounts: NonNullable<Config['demo_accounts']>, isBusy: boolean, onChoose: (name: string, password: string) => void,
}) {
  return (
    <section class="demo" aria-labelledby="demo">
      <h2 id="demo">Or try a demo account</h2>
      <div class="demo-accounts">
        {accounts.usernames.map((name, i) => (
          <button key={name} type="button" class="demo-account" disabled={isBusy} onClick={() => onChoose(name, accounts.password)}>
            <Avatar user={{ id: i + 1, name, avatar_url: '' }} />
            {name}
          </button>
        ))}
      </div>
      <p class="muted">Their password is <code>{accounts.password}</code>. Open a second browser as somebody else.</p>
    </section>
  )
}
