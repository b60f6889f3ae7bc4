// How things are put into words. Times are shown in the reader's zone and language; locale and zone are given by tests.

export interface Place {
  locale?: string
  timeZone?: string
}

// To make a formatter takes a hundred times as long as to use it.
const formatters = new Map<string, Intl.DateTimeFormat>()

function format(time: string | number, { locale, timeZone }: Place, parts: Intl.DateTimeFormatOptions): string {
  const options = { ...parts, timeZone }
  const key = JSON.stringify([locale, options])
  let formatter = formatters.get(key)
  if (!formatter) formatters.set(key, formatter = new Intl.DateTimeFormat(locale, options))
  return formatter.format(new Date(time))
}

export function clock(iso: string, place: Place = {}): string {
  return format(iso, place, { hour: '2-digit', minute: '2-digit' })
}

export function fullTime(iso: string, place: Place = {}): string {
  return format(iso, place, { dateStyle: 'full', timeStyle: 'short' })
}

// dayKey names the calendar day something happened on where the reader is.
export function dayKey(time: string | number, { timeZone }: Place = {}): string {
  return format(time, { locale: 'en-CA', timeZone }, { year: 'numeric', month: '2-digit', day: '2-digit' })
}

function daysAgo(iso: string, now: number, place: Place): number {
  return (Date.parse(dayKey(now, place)) - Date.parse(dayKey(iso, place))) / 86_400_000
}

export function dayLabel(iso: string, now: number, place: Place = {}): string {
  const days = daysAgo(iso, now, place)
  if (days === 0) return 'Today'
  if (days === 1) return 'Yesterday'
  return format(iso, place, { weekday: 'long', day: 'numeric', month: 'long', year: days > 300 ? 'numeric' : undefined })
}

// shortTime is for lists: the clock today, then the day.
export function shortTime(iso: string, now: number, place: Place = {}): string {
  const days = daysAgo(iso, now, place)
  if (days <= 0) return clock(iso, place)
  if (days === 1) return 'Yesterday'
  if (days < 7) return format(iso, place, { weekday: 'short' })
  return format(iso, place, { day: 'numeric', month: 'short', year: days > 300 ? '2-digit' : undefined })
}

export function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]]
  return letters.map(word => [...word ?? ''][0] ?? '').join('').toLocaleUpperCase()
}

export function listNames(names: readonly string[]): string {
  if (names.length < 3) return names.join(' and ')
  if (names.length === 3) return `${names[0]}, ${names[1]} and ${names[2]}`
  return `${names[0]}, ${names[1]} and ${names.length - 2} others`
}

export function typingLine(names: readonly string[]): string {
  if (names.length === 0) return ''
  return `${listNames(names)} ${names.length === 1 ? 'is' : 'are'} typing`
}

export function badge(count: number): string {
  return count > 99 ? '99+' : String(count)
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}

export function pageTitle(unread: number): string {
  return unread > 0 ? `(${badge(unread)}) Messages` : 'Messages'
}

export interface Segment {
  text: string
  href?: string
}

const LINK = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g

// segments finds the web addresses in a text.
export function segments(text: string): Segment[] {
  const list: Segment[] = []
  let end = 0
  for (const match of text.matchAll(LINK)) {
    if (match.index > end) list.push({ text: text.slice(end, match.index) })
    list.push({ text: match[0], href: match[0] })
    end = match.index + match[0].length
  }
  if (end < text.length) list.push({ text: text.slice(end) })
  return list
}
