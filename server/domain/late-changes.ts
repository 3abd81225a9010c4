import type { Open } from './conversations.ts'
import { asNew } from './message-view.ts'
import type { BusEvent, Change, Ports } from './ports.ts'

/** Tells the members of what was stored after its sender, or reader, was told that it may not be: to them it is new. */
export const tellWhatIsLate = ({ store, bus, log }: Ports, open: Open): void => {
  const tell = async (change: Change) => {
    const [username, event]: [string, BusEvent] =
      change.type === 'message'
        ? [change.message.sender, { type: 'message', message: asNew(change.message) }]
        : [change.receipt.username, { type: 'receipt', receipt: change.receipt }]
    const id = change.type === 'message' ? change.message.conversationId : change.receipt.conversationId
    bus.publish((await open(username, id)).members, event)
  }
  store.onLate((changes) => {
    for (const change of changes)
      tell(change).catch((error: unknown) => log.warn({ error }, 'cannot tell of a change that was stored late'))
  })
}
