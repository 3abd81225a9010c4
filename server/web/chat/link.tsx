import type { AnchorHTMLAttributes, MouseEvent } from 'react'
import { goTo, hrefOf } from './route.ts'

/** A link to a conversation: a real one, for a new tab or a copy; a plain click stays on the page and knows the way back. */
export const Link = ({ to, ...props }: AnchorHTMLAttributes<HTMLAnchorElement> & { to: string }) => {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    goTo(to)
  }
  return <a {...props} href={hrefOf(to)} onClick={follow} />
}
