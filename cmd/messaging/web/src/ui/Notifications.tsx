import type { Notification } from '../api/types.ts'
import type { State } from '../app/store.ts'
import { fullTime, shortTime } from '../model/format.ts'
import { Avatar } from './Avatar.tsx'
import { useApp } from './context.ts'
import { Dialog } from './Dialog.tsx'

export function Notifications({ state, onClose }: { state: State, onClose: () => void }) {
  const app = useApp()
  const { notifications, unreadNotifications, hasMoreNotifications } = state
  const open = ({ id, data }: Notification) => {
    app.notices.read(id).catch(() => {})
    app.open(data.conversation_id)
    onClose()
  }
  return (
    <Dialog title="Notifications" onClose={onClose} class="sheet">
      {notifications.length === 0 && <p class="muted pad center">Nothing happened while you were away.</p>}
      <ul class="notifications">
        {notifications.map(one => <li key={one.id}><Line notification={one} onOpen={() => open(one)} /></li>)}
      </ul>
      {(unreadNotifications > 0 || hasMoreNotifications) && (
        <footer>
          {hasMoreNotifications && <button type="button" class="button" onClick={() => app.notices.more()}>Older</button>}
          {unreadNotifications > 0 && <button type="button" class="button" onClick={() => app.notices.readAll()}>Mark all as read</button>}
        </footer>
      )}
    </Dialog>
  )
}

function Line({ notification, onOpen }: { notification: Notification, onOpen: () => void }) {
  const { data, created_at: at, read_at: readAt } = notification
  return (
    <button type="button" class={`notification ${readAt ? '' : 'unread'}`} data-notification={notification.id} onClick={onOpen}>
      <Avatar user={data.sender} />
      <span class="line-text">
        <span class="line-top">
          <span class="line-title">{data.title}</span>
          <time dateTime={at} title={fullTime(at)}>{shortTime(at, Date.now())}</time>
        </span>
        <span class="preview">{data.title === data.sender.name ? data.excerpt : `${data.sender.name}: ${data.excerpt}`}</span>
      </span>
      {!readAt && <span class="unread-dot"><span class="hidden">unread</span></span>}
    </button>
  )
}
