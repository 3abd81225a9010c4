import { audiencesOfProfile } from './audiences.ts'
import { asNew } from './message-view.ts'
import type { Audience, Change, Ports, PublishedChange } from './ports.ts'

/** Publishes what was stored after its author was told that it may not be: to everybody else it is new. */
export const publishLateCommits = ({ store, bus, log }: Pick<Ports, 'store' | 'bus' | 'log'>): void => {
  const audiencesOf = async (change: Change): Promise<Audience[]> =>
    change.kind === 'user' ? audiencesOfProfile(store, change.user.userId) : [change.conversationId]
  const publish = async (change: Change) => {
    for (const audience of await audiencesOf(change)) bus.publish(audience, asPublished(change))
  }
  store.onLate((changes) => {
    for (const change of changes)
      publish(change).catch((error: unknown) => log.warn({ error }, 'cannot publish a change that was stored late'))
  })
}

const asPublished = (change: Change): PublishedChange =>
  change.kind === 'message' || change.kind === 'messageChanged' ? { ...change, message: asNew(change.message) } : change
