import { useEffect, useState } from 'preact/hooks'
import { ApiError } from '../api/client.ts'
import type { User } from '../api/types.ts'
import { Avatar } from './Avatar.tsx'
import { useApp } from './context.ts'
import { Dialog } from './Dialog.tsx'
import { Icon } from './Icon.tsx'

const MOST = 49

export function NewConversation({ me, onClose }: { me: number, onClose: () => void }) {
  const app = useApp()
  const [chosen, setChosen] = useState<User[]>([])
  const [title, setTitle] = useState('')
  const [body, setBody] = useState('')
  const [problem, setProblem] = useState('')
  const [isBusy, setBusy] = useState(false)

  const toggle = (user: User) => setChosen(chosen.some(({ id }) => id === user.id)
    ? chosen.filter(({ id }) => id !== user.id) : [...chosen, user].slice(0, MOST))

  async function create(event: Event) {
    event.preventDefault()
    setBusy(true)
    try {
      const id = await app.inbox.create(chosen.map(user => user.id), chosen.length > 1 ? title.trim() : '', body.trim())
      onClose()
      app.open(id)
    } catch (error) {
      setProblem(sentence(error))
      setBusy(false)
    }
  }

  return (
    <Dialog title="New conversation" onClose={onClose}>
      <form onSubmit={create}>
        <People me={me} chosen={chosen} onToggle={toggle} />
        {chosen.length > 1 && (
          <label>Title<input value={title} maxLength={120} placeholder="Optional" onInput={event => setTitle(event.currentTarget.value)} /></label>
        )}
        <label>First message
          <textarea rows={2} maxLength={5000} placeholder="Optional" value={body} onInput={event => setBody(event.currentTarget.value)} />
        </label>
        <p class="problem" role="alert">{problem}</p>
        <footer>
          <button type="button" class="button" onClick={onClose}>Cancel</button>
          <button type="submit" class="button primary" disabled={isBusy || chosen.length === 0}>
            {chosen.length > 1 ? 'Start group' : 'Start conversation'}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}

function sentence(error: unknown): string {
  return error instanceof ApiError ? Object.values(error.errors)[0]?.[0] ?? error.message : String(error)
}

function People({ me, chosen, onToggle }: { me: number, chosen: User[], onToggle: (user: User) => void }) {
  const [search, setSearch] = useState('')
  const { users, problem } = useSearch(search)
  const found = users?.filter(({ id }) => id !== me) ?? []
  return (
    <fieldset class="people">
      <legend>With</legend>
      <ul class="chips" aria-label="Chosen">
        {chosen.map(user => (
          <li key={user.id}>
            <button type="button" class="chip" aria-label={`Remove ${user.name}`} onClick={() => onToggle(user)}>{user.name}<Icon name="close" /></button>
          </li>
        ))}
      </ul>
      <div class="search">
        <Icon name="search" />
        <input type="search" placeholder="Name or user name" aria-label="Search people" autocomplete="off" autofocus
          value={search} onInput={event => setSearch(event.currentTarget.value)} />
      </div>
      {problem && <p class="problem" role="alert">{problem}</p>}
      {users && found.length === 0 && <p class="muted pad">Nobody is called so.</p>}
      <ul class="found">
        {found.map(user => (
          <li key={user.id}>
            <label class="person">
              <input type="checkbox" checked={chosen.some(({ id }) => id === user.id)} onChange={() => onToggle(user)} />
              <Avatar user={user} />
              <span class="line-text"><span class="line-title">{user.name}</span><span class="preview">@{user.username}</span></span>
            </label>
          </li>
        ))}
      </ul>
    </fieldset>
  )
}

const PAUSE = 200

// useSearch asks when nothing has been typed for a moment. An answer that was overtaken is dropped.
function useSearch(search: string): { users: User[] | null, problem: string } {
  const app = useApp()
  const [result, setResult] = useState<{ users: User[] | null, problem: string }>({ users: null, problem: '' })
  useEffect(() => {
    let isWanted = true
    const timer = setTimeout(async () => {
      const next = await app.client.users(search.trim()).then(
        ({ users }) => ({ users, problem: '' }),
        error => ({ users: null, problem: sentence(error) }))
      if (isWanted) setResult(next)
    }, search ? PAUSE : 0)
    return () => {
      isWanted = false
      clearTimeout(timer)
    }
  }, [search])
  return result
}
