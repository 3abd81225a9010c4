import type { OnlineUserPage, OnlineUsers, OnStatus, Status, StatusEvent, UserId } from '../contract/index.ts'
import { limits } from '../contract/index.ts'
import type { ReadingPorts } from './fair-reads.ts'
import type { Ports, PresenceChange, Store } from './ports.ts'

export const onlineUsers =
  ({ presence, readsOf, rates, rules }: ReadingPorts) =>
  async (caller: UserId, { limit, cursor }: OnlineUsers): Promise<OnlineUserPage> => {
    rates.takeNow(rules.call, caller)
    const ids = [...presence.online().keys()].filter((id) => cursor === undefined || id > cursor).sort()
    const page = ids.slice(0, limit)
    const nameOf = await namesOf(readsOf(caller), page)
    const users = page.flatMap((userId) => {
      const online = presence.online().get(userId)
      return online ? [{ userId, displayName: nameOf(userId), since: online.since }] : []
    })
    return { users, nextCursor: ids.length > limit ? (page.at(-1) ?? null) : null }
  }

const namesOf = async (store: Pick<Store, 'profiles'>, userIds: UserId[]): Promise<(userId: UserId) => string> => {
  const profiles = userIds.length === 0 ? [] : await store.profiles(userIds)
  const names = new Map(profiles.map(({ userId, displayName }) => [userId, displayName]))
  return (userId) => names.get(userId) ?? userId
}

/** Remembers when people were last here, as they come to this node and as they go. @returns a function that ends it. */
export const rememberLastSeen = ({ store, presence, log }: Ports): (() => void) =>
  presence.listen((changes) => {
    const ours = changes.filter(({ here }) => here)
    if (ours.length === 0) return
    store
      .setLastSeen(ours.map(({ userId, at }) => ({ userId, at })))
      .catch((error: unknown) => log.warn({ error }, 'cannot store who was last seen when'))
  })

/** Who is online, then who comes and goes. */
export const followStatus =
  (ports: Ports) =>
  (caller: UserId, input: OnStatus, signal: AbortSignal): AsyncGenerator<StatusEvent, void, undefined> => {
    ports.rates.takeNow(ports.rules.call, caller)
    return statuses(ports, input, signal)
  }

const statuses = async function* (
  { store, presence }: Pick<Ports, 'store' | 'presence'>,
  { users }: OnStatus,
  signal: AbortSignal,
): AsyncGenerator<StatusEvent, void, undefined> {
  const wanted = users && new Set(users)
  let waiting: PresenceChange[][] = []
  let wake: (() => void) | null = null
  const rouse = () => {
    wake?.()
    wake = null
  }
  const unlisten = presence.listen((changes) => {
    const concerning = wanted ? changes.filter(({ userId }) => wanted.has(userId)) : changes
    if (concerning.length === 0) return
    waiting.push(concerning)
    if (waiting.length > waitingMax) waiting = [latestOfEach(waiting)]
    rouse()
  })
  signal.addEventListener('abort', rouse)
  try {
    yield* snapshot({ store, presence }, users)
    while (!signal.aborted) {
      const batches = waiting
      waiting = []
      for (const batch of batches) yield await changeEvent(store, batch)
      if (waiting.length === 0 && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    unlisten()
    signal.removeEventListener('abort', rouse)
  }
}

/** For a reader that is slower than this many events, only the latest status of each user is kept. */
const waitingMax = 20

const latestOfEach = (batches: PresenceChange[][]): PresenceChange[] => [
  ...new Map(batches.flat().map((change) => [change.userId, change])).values(),
]

/** In events of a bounded size, each with the names of its users read for it. */
async function* snapshot(
  { store, presence }: Pick<Ports, 'store' | 'presence'>,
  users: UserId[] | undefined,
): AsyncGenerator<StatusEvent> {
  const wanted = users ?? [...presence.online().keys()]
  const size = limits.statusesPerEvent
  for (let at = 0; at === 0 || at < wanted.length; at += size) {
    const statuses = await currentStatuses({ store, presence }, wanted.slice(at, at + size))
    yield { type: 'snapshot', statuses, more: at + size < wanted.length }
  }
}

const currentStatuses = async (
  { store, presence }: Pick<Ports, 'store' | 'presence'>,
  userIds: UserId[],
): Promise<Status[]> => {
  const [lastSeen, nameOf] = await Promise.all([
    userIds.length === 0 ? new Map<UserId, Date>() : store.lastSeen(userIds),
    namesOf(store, userIds),
  ])
  return userIds.map((userId) => {
    const isOnline = presence.online().has(userId)
    return {
      userId,
      displayName: nameOf(userId),
      status: isOnline ? 'online' : 'offline',
      lastSeenAt: isOnline ? null : (lastSeen.get(userId) ?? null),
    }
  })
}

/** One event for all who follow everybody, so that its names are read once, and it is written out once. */
const changeEvents = new WeakMap<PresenceChange[], Promise<StatusEvent>>()
const changeEvent = (store: Store, changes: PresenceChange[]): Promise<StatusEvent> => {
  const event = changeEvents.get(changes) ?? makeChangeEvent(store, changes)
  changeEvents.set(changes, event)
  return event
}

const makeChangeEvent = async (store: Store, changes: PresenceChange[]): Promise<StatusEvent> => {
  const nameOf = await namesOf(
    store,
    changes.map(({ userId }) => userId),
  )
  return {
    type: 'change',
    statuses: changes.map(({ userId, online, at }) => ({
      userId,
      displayName: nameOf(userId),
      status: online ? 'online' : 'offline',
      lastSeenAt: online ? null : at,
    })),
  }
}
