import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { Icon } from './Icon.tsx'

// Dialog is in front of everything until it is closed. The browser keeps the focus in it and puts it back.
export function Dialog({ title, onClose, class: name = '', children }: {
  title: string, onClose: () => void, class?: string, children: ComponentChildren,
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    dialog.current!.showModal()
  }, [])
  const outside = (event: MouseEvent) => {
    if (event.target === dialog.current) dialog.current!.close()
  }
  return (
    <dialog ref={dialog} class={name} aria-labelledby={id} onClose={onClose} onClick={outside}>
      <div class="dialog-body">
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" class="icon-button" aria-label="Close" onClick={() => dialog.current!.close()}><Icon name="close" /></button>
        </header>
        {children}
      </div>
    </dialog>
  )
}

export function Confirm({ title, text, action, onConfirm, onClose }: {
  title: string, text: string, action: string, onConfirm: () => void, onClose: () => void,
}) {
  return (
    <Dialog title={title} onClose={onClose} class="narrow">
      <p>{text}</p>
      <footer>
        <button type="button" class="button" onClick={onClose}>Cancel</button>
        <button type="button" class="button dangerous" onClick={() => {
          onClose()
          onConfirm()
        }}>{action}</button>
      </footer>
    </Dialog>
  )
}
