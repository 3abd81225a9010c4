import { useEffect, useRef } from 'react'

/** Brings an element into sight, if it is not, whenever what it shows is another one; not at the beginning. */
export const useScrolledIntoView = (shown: number | undefined) => {
  const element = useRef<HTMLDivElement & HTMLElement>(null)
  const before = useRef(shown)
  useEffect(() => {
    if (shown !== undefined && shown !== before.current) element.current?.scrollIntoView({ block: 'nearest' })
    before.current = shown
  }, [shown])
  return element
}
