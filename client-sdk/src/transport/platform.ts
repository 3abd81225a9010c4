/** What the platform says of the network and of this page. */
export type PlatformEvent =
  /** There is a network again, perhaps another one. */
  | 'online'
  /** There is none, as far as the platform knows; it may be wrong. */
  | 'offline'
  /** Somebody looks at this page again; while nobody did, timers may have stood still. */
  | 'visible'

/** This is a page that nobody looks at. */
export const isUnseen = () => (globalThis as { document?: Document }).document?.visibilityState === 'hidden'

/** Calls back with what happens. @returns a function that ends it. */
export type ListenToPlatform = (onEvent: (event: PlatformEvent) => void) => () => void

/** Browsers; other platforms say nothing. */
export const listenToPlatform: ListenToPlatform = (onEvent) => {
  const page = (globalThis as { document?: Document }).document
  const ears: [EventTarget | undefined, string, () => void][] = [
    [globalThis as never, 'online', () => onEvent('online')],
    [globalThis as never, 'offline', () => onEvent('offline')],
    [page, 'visibilitychange', () => page?.visibilityState === 'visible' && onEvent('visible')],
  ]
  for (const [target, type, listener] of ears) target?.addEventListener?.(type, listener)
  return () => {
    for (const [target, type, listener] of ears) target?.removeEventListener?.(type, listener)
  }
}
