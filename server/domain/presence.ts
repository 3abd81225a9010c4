import type { OnlineUserPage, OnlineUsers, OnStatus, Status, StatusEvent, Username } from '../contract/index.ts'
import { limits } from '../contract/index.ts'
import type { Ports, PresenceChange } from './ports.ts'

export const onlineUsers =
  ({ presence, rates, rules }: Ports) =>
  (caller: Username, { limit, cursor }: OnlineUsers): OnlineUserPage => {
    rates.takeNow(rules.call, caller)
    const names = [...presence.online().keys()].filter((name) => cursor === undefined || name > cursor).sort()
    const page = names.slice(0, limit)
    const users = page.flatMap((username) => {
      const online = presence.online().get(username)
      return online ? [{ username, since: online.since }] : []
    })
    return { users, nextCursor: names.length > limit ? (page.at(-1) ?? null) : null }
  }

/** Remembers when people were last here, as they come to this node and as they go. @returns a function that ends it. */
export const rememberLastSeen = ({ store, presence, log }: Ports): (() => void) =>
  presence.listen((changes) => {
    const ours = changes.filter(({ here }) => here)
    if (ours.length === 0) return
    store
      .setLastSeen(ours.map(({ username, at }) => ({ username, at })))
      .catch((error: unknown) => log.warn({ error }, 'cannot store who was last seen when'))
  })

/** Who is online, then who comes and goes. */
export const followStatus =
  (ports: Ports) =>
  (caller: Username, input: OnStatus, signal: AbortSignal): AsyncGenerator<StatusEvent, void, undefined> => {
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
    const concerning = wanted ? changes.filter(({ username }) => wanted.has(username)) : changes
    if (concerning.length === 0) return
    waiting.push(concerning)
    if (waiting.length > waitingMax) waiting = [latestOfEach(waiting)]
    rouse()
  })
  signal.addEventListener('abort', rouse)
  try {
    yield* snapshot(await currentStatuses({ store, presence }, users))
    while (!signal.aborted) {
      const batches = waiting
      waiting = []
      for (const batch of batches) yield changeEvent(batch)
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
  ...new Map(batches.flat().map((change) => [change.username, change])).values(),
]

const currentStatuses = async (
  { store, presence }: Pick<Ports, 'store' | 'presence'>,
  users: Username[] | undefined,
): Promise<Status[]> => {
  const online = presence.online()
  if (!users) return [...online.keys()].map((user) => ({ user, status: 'online', lastSeenAt: null }))
  const lastSeen = await store.lastSeen(users)
  return users.map((user) =>
    presence.online().has(user)
      ? { user, status: 'online', lastSeenAt: null }
      : { user, status: 'offline', lastSeenAt: lastSeen.get(user) ?? null },
  )
}

function* snapshot(statuses: Status[]): Generator<StatusEvent> {
  const size = limits.statusesPerEvent
  for (let at = 0; at === 0 || at < statuses.length; at += size) {
    yield { type: 'snapshot', statuses: statuses.slice(at, at + size), more: at + size < statuses.length }
  }
}

/** One event for all who follow everybody, so that it is written out once. */
const changeEvents = new WeakMap<PresenceChange[], StatusEvent>()
const changeEvent = (changes: PresenceChange[]): StatusEvent => {
  let event = changeEvents.get(changes)
  if (!event) {
    event = {
      type: 'change',
      statuses: changes.map(({ username, online, at }) => ({
        user: username,
        status: online ? 'online' : 'offline',
        lastSeenAt: online ? null : at,
      })),
    }
    changeEvents.set(changes, event)
  }
  return event
}
