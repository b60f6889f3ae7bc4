// The JSON of the app, as the Go package cmd/messaging/api has it. Times are RFC 3339 texts in UTC.

export interface User {
  id: number
  name: string
  username: string
  avatar_url: string
}

export interface Me extends User {
  is_admin: boolean
  created_at: string
}

export interface Session {
  user: Me
  csrf_token: string
}

export interface Config {
  realtime: boolean
  key: string
  host: string
  port: number
  scheme: 'http' | 'https'
  path: string
  poll_interval_ms: number
  csrf_token: string
  demo_accounts: { usernames: string[], password: string } | null
}

export interface Message {
  id: number
  uuid: string
  conversation_id: number
  sender_id: number
  sender: User
  body: string
  client_temp_id: string | null
  created_at: string
  edited_at: string | null
  deleted_at: string | null
  truncated?: boolean
}

export interface Participant extends User {
  role: 'owner' | 'member'
  last_read_message_id: number
  last_read_at: string | null
  online: boolean
}

export interface Conversation {
  id: number
  type: 'direct' | 'group'
  title: string | null
  created_by: number
  created_at: string
  updated_at: string
  last_message_at: string | null
  last_message: Message | null
  participants: Participant[] | null
  unread_count: number
  muted_at: string | null
}

export interface Summary {
  unread_total: number
}

export interface Conversations {
  conversations: Conversation[]
  page: number
  has_more: boolean
  summary: Summary
}

export interface ConversationUpdated {
  conversation: Conversation
  summary: Summary
}

export interface View {
  conversation: Conversation
  messages: Message[]
  participants: Participant[]
  has_more: boolean
  change_cursor: number
  summary: Summary
}

export interface ReadMarker {
  conversation_id: number
  user_id: number
  last_read_message_id: number
  last_read_at: string | null
}

export interface Delta {
  messages: Message[]
  changed: Message[]
  read_markers: ReadMarker[]
  has_more: boolean
  next_after_message_id: number
  has_more_changes: boolean
  change_cursor: number
  unread_count: number
}

export interface ReadResult {
  marker: ReadMarker
  unread_count: number
  summary: Summary
}

export interface Typing {
  conversation_id: number
  user: User
  expires_at: string | null
}

export interface MessageReceived {
  conversation_id: number
  message_id: number
  sender: User
  title: string
  excerpt: string
}

export interface Notification {
  id: string
  type: string
  data: MessageReceived
  read_at: string | null
  created_at: string
}

export interface Notifications {
  notifications: Notification[]
  page: number
  has_more: boolean
  unread_count: number
}

export interface NotificationRead {
  notification: Notification
  unread_count: number
}

// MemberInfo is who is in a presence channel.
export interface MemberInfo {
  id: number
  name: string
  avatar_url: string
}

export interface ChannelAuth {
  auth: string
  channel_data?: string
}
