import { render } from 'preact'
import { App } from './app/app.ts'
import { initial, type State, Store } from './app/store.ts'
import { pageTitle } from './model/format.ts'
import { Page } from './ui/Page.tsx'
import { applyTheme } from './ui/theme.ts'
import './style/index.css'

const root = document.getElementById('app')!

function draw(state: State): void {
  document.title = pageTitle(state.inbox.unreadTotal)
  render(<Page app={app} state={state} />, root)
}

applyTheme()
const app: App = new App(new Store(draw))
draw(initial)
void app.start()
