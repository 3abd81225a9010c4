import { type ReactNode, useLayoutEffect, useRef } from 'react'

const gapPx = 6
const marginPx = 8

interface PopoverProps {
  /** Beside what it stands. */
  anchor: HTMLElement
  label: string
  onClose(): void
  children: ReactNode
}

/**
 * A small window beside the button that opened it. The browser closes it at Escape or at a click elsewhere, and gives the
 * focus back to that button; whoever closes it from inside calls `hidePopover`, for the same.
 */
export const Popover = ({ anchor, label, onClose, children }: PopoverProps) => {
  const element = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const popover = element.current
    if (!popover) return
    if (!popover.matches(':popover-open')) popover.showPopover()
    popover.querySelector<HTMLElement>('button, [tabindex]')?.focus()
    const over = new AbortController()
    const { signal } = over
    const stay = () => {
      // What it stood beside may have left the page, and its button with it.
      if (anchor.isConnected) placeBeside(popover, anchor)
      else popover.hidePopover()
    }
    stay()
    addEventListener('resize', stay, { signal })
    document.addEventListener('scroll', stay, { signal, capture: true })
    const sizes = new ResizeObserver(stay)
    sizes.observe(popover)
    return () => {
      over.abort()
      sizes.disconnect()
    }
  }, [anchor])

  return (
    <div
      ref={element}
      className="popover"
      popover="auto"
      role="dialog"
      aria-label={label}
      onToggle={(event) => event.newState === 'closed' && onClose()}
      onKeyDown={(event) => {
        // It is answered here: the page would leave the conversation.
        if (event.key === 'Escape') event.stopPropagation()
      }}
    >
      {children}
    </div>
  )
}

/** With the focus back at the button that opened it. */
export const closePopover = (inside: HTMLElement): void => inside.closest<HTMLElement>('[popover]')?.hidePopover()

/** Below it, or above it where there is more room. */
const placeBeside = (popover: HTMLElement, anchor: HTMLElement) => {
  const at = anchor.getBoundingClientRect()
  const { offsetWidth: width, offsetHeight: height } = popover
  const [right, bottom] = [document.documentElement.clientWidth - marginPx, innerHeight - marginPx]
  const isBelow = at.bottom + gapPx + height <= bottom || at.top - gapPx - height < marginPx
  const top = isBelow ? at.bottom + gapPx : at.top - gapPx - height
  popover.style.left = `${Math.max(marginPx, Math.min(at.right - width, right - width))}px`
  popover.style.top = `${Math.max(marginPx, Math.min(top, bottom - height))}px`
}
