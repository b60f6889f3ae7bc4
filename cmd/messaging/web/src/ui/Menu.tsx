import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Icon, type IconName } from './Icon.tsx'

export interface MenuItem {
  label: string
  icon: IconName
  isDangerous?: boolean
  run: () => void
}

// Menu is a button that opens a list of things to do, by the pattern of WAI-ARIA's menu button.
export function Menu({ label, items, class: name = 'icon-button', children }: {
  label: string, items: MenuItem[], class?: string, children: ComponentChildren,
}) {
  const [isOpen, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const close = () => {
    setOpen(false)
    button.current?.focus()
  }
  return (
    <>
      <button ref={button} type="button" class={name} aria-label={label} title={label} aria-haspopup="menu" aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}>
        {children}
      </button>
      {isOpen && <MenuList label={label} items={items} anchor={button.current!} onClose={close} />}
    </>
  )
}

function MenuList({ label, items, anchor, onClose }: { label: string, items: MenuItem[], anchor: HTMLElement, onClose: () => void }) {
  const list = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    place(list.current!, anchor)
    focusItem(list.current!, 0)
  }, [])
  useCloseOutside(list, anchor, onClose)
  return (
    <div ref={list} class="menu" role="menu" aria-label={label} onKeyDown={event => handleKey(event, list.current!, onClose)}>
      {items.map(item => (
        <button key={item.label} type="button" role="menuitem" tabIndex={-1} class={item.isDangerous ? 'dangerous' : ''}
          onClick={() => {
            onClose()
            item.run()
          }}>
          <Icon name={item.icon} />{item.label}
        </button>
      ))}
    </div>
  )
}

// place puts the list below its button, or above where there is no room.
function place(list: HTMLElement, anchor: HTMLElement): void {
  const { top, bottom, left, right } = anchor.getBoundingClientRect()
  const { offsetWidth: width, offsetHeight: height } = list
  const x = right > innerWidth / 2 ? right - width : left
  const y = bottom + 6 + height > innerHeight ? top - 6 - height : bottom + 6
  list.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`
  list.style.top = `${Math.max(8, y)}px`
}

function useCloseOutside(list: { current: HTMLElement | null }, anchor: HTMLElement, onClose: () => void): void {
  useEffect(() => {
    const outside = (event: Event) => {
      const target = event.target as Node
      if (!list.current?.contains(target) && !anchor.contains(target)) onClose()
    }
    addEventListener('pointerdown', outside, true)
    addEventListener('scroll', outside, true)
    return () => {
      removeEventListener('pointerdown', outside, true)
      removeEventListener('scroll', outside, true)
    }
  })
}

function handleKey(event: KeyboardEvent, list: HTMLElement, onClose: () => void): void {
  const items = [...list.children] as HTMLElement[]
  const at = items.indexOf(document.activeElement as HTMLElement)
  const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }
  if (event.key in moves) focusItem(list, moves[event.key]!)
  else if (event.key === 'Escape' || event.key === 'Tab') onClose()
  else return
  event.preventDefault()
  event.stopPropagation()
}

function focusItem(list: HTMLElement, n: number): void {
  const count = list.children.length
  ;(list.children[(n + count) % count] as HTMLElement).focus()
}
