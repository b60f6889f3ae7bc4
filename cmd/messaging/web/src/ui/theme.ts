// Light, dark, or as the system has it.

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'messaging.theme'

export function theme(): Theme {
  const kept = localStorage.getItem(KEY)
  return kept === 'light' || kept === 'dark' ? kept : 'system'
}

export function applyTheme(): void {
  document.documentElement.dataset.theme = theme()
}

export function setTheme(chosen: Theme): void {
  localStorage.setItem(KEY, chosen)
  applyTheme()
}
