import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { App } from '../app/app.ts'

export const AppContext = createContext<App | null>(null)

export const useApp = (): App => useContext(AppContext)!
