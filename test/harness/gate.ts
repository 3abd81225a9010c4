import { createInbox } from './plain-client.ts'

/** A gate that nothing passes until it is opened. */
export const createGate = () => {
  const opened = createInbox<true>()
  return { passed: () => opened.until(() => opened.items.length > 0), open: () => opened.add(true) }
}
