import type { Profile, Status } from '../../../server/contract/index.ts'
import type { ChatClient } from '../client.ts'
import { asChatError, type ChatError } from '../connection/errors.ts'
import type { StatusOptions } from '../events/loops.ts'
import type { Ask } from './online.ts'
import { createView, type View } from './view.ts'

/** Who is online: by user id, those who are and those who were since somebody looked. */
export type PresenceView = View<ReadonlyMap<string, Status>>

/** Followed while somebody is subscribed; without a connection it stays as it was last. @param users all, if undefined */
export const createPresence = (
  client: ChatClient,
  ask: Ask,
  users: string[] | undefined,
  onError: (error: ChatError) => void,
): PresenceView & { isWatched(): boolean; rename(profile: Profile): void; stop(): void } => {
  let statuses = new Map<string, Status>()
  let following: AbortController | null = null

  const view = createView((): ReadonlyMap<string, Status> => new Map(statuses))

  const follow = async (options: StatusOptions) => {
    for await (const event of client.statuses({ ...options, users })) {
      if (event.type === 'snapshot') statuses = new Map()
      for (const status of event.statuses) statuses.set(status.userId, status)
      view.changed()
    }
  }

  return {
    ...view,
    subscribe(listener) {
      const unsubscribe = view.subscribe(listener)
      if (!following) {
        following = new AbortController()
        const until = following.signal
        ask(follow, until).catch((error) => until.aborted || onError(asChatError(error)))
      }
      return () => {
        unsubscribe()
        if (view.isWatched()) return
        following?.abort()
        following = null
      }
    },
    rename({ userId, displayName }) {
      const known = statuses.get(userId)
      if (!known) return
      statuses.set(userId, { ...known, displayName })
      view.changed()
    },
    stop() {
      following?.abort()
      view.stop()
    },
  }
}
