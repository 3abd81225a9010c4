import type { Bus } from '../domain/ports.ts'
import { createListeners } from './listeners.ts'

/** The bus of a single node: a call to each listener, so nothing is ever lost and there is never a gap. */
export const createInProcessBus = (): Bus => {
  const { tell, tellSessionEnd, listen, listenToAll, onSessionEnd } = createListeners()
  return {
    shared: false,
    whole: () => true,
    publish: tell,
    listen,
    listenToAll,
    endSession: tellSessionEnd,
    onSessionEnd,
  }
}
