import { setTimeout as pause } from 'node:timers/promises'
import { conversationIdOf } from '../../server/contract/places.ts'
import { createDisposables } from '../../server/disposables.ts'
import { check, type History } from './checker.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { startFaults } from './faults.ts'
import { join, type Participant } from './people.ts'

export interface AcceptanceOptions {
  seconds: number
  users: number
  /** Messages a second, of all together. */
  rate: number
  nodes: number
  seed: number
  /** For so long Redis is away, and the database. */
  outageMs: number
  /** Whether people go in the end, and some of them while a node dies, which takes 45 s to be known. */
  withDeaths: boolean
  secantusd: string
  say(words: string): void
  /** Breaks the history before it is checked, to see that it is found. */
  spoil?(history: History): void
}

export interface Report {
  findings: string[]
  planned: number
  sent: number
  acknowledged: number
  /** Milliseconds from the send to its acknowledgement: before the first fault, and over all. */
  calm: { p50: number; p99: number }
  overall: { p50: number; p99: number; max: number }
  /** Milliseconds from the acknowledgement to the screen of the last member. */
  toScreen: { p50: number; p99: number; max: number }
  /** Milliseconds after the last fault until everything had come to everybody. */
  settledMs: number
  cuts: number
}

/** The same seed makes the same numbers from 0 to 1. */
const createRandom = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const settleMaxMs = 60_000
/** P7: 2 s after a clean close, and 5 s of grace; and one for a machine that is busy with all of this. */
const leaveMs = 8_000
const deathMs = 45_000
const now = () => performance.now()

/** Real nodes, Redis and a database, people who talk, faults; then everything that was done and seen is checked. */
export const runAcceptance = async (options: AcceptanceOptions): Promise<Report> => {
  const { users, nodes, seed, secantusd, say } = options
  const random = createRandom(seed)
  const opened = createDisposables()
  const troubles: string[] = []
  const fail = (cause: unknown) => troubles.push(`A client failed: ${cause instanceof Error ? cause.stack : cause}`)
  try {
    const cluster = await startCluster(nodes, secantusd, random)
    opened.defer(() => cluster[Symbol.asyncDispose]())
    const history: History = {
      sent: [],
      shown: new Map(),
      conversationsOf: new Map(),
      stored: new Map(),
      presence: [],
      sightings: [],
      endedAt: 0,
    }
    const names = Array.from({ length: users }, (_, i) => `user${i}`)
    const people = await Promise.all(names.map((name) => join(cluster.balancer.url, name, history, fail)))
    for (const person of people) opened.defer(() => person.close())
    say(`${users} users at ${nodes} nodes`)

    const faults = startFaults(cluster, options)
    const sends = await talk(people, options, random)
    await faults.done
    const healedAt = now()
    say('no more faults')
    await until(() => people.every((person) => person.isAllSent()))
    await Promise.race([Promise.allSettled(sends), pause(settleMaxMs)])
    await readAll(people, history)
    await until(() => isAllShown(history))
    const settledMs = now() - healedAt
    say(`settled after ${Math.round(settledMs)} ms`)

    await watchPresence(people, cluster, history, faults.lastDeathAt(), options)
    history.endedAt = now()
    options.spoil?.(history)
    if (!people.every((person) => person.isAllSent())) troubles.push('An outbox is not empty')
    const unanswered = history.sent.filter(({ acknowledged }) => !acknowledged)
    if (unanswered.length > 0) troubles.push(`${unanswered.length} messages were never acknowledged`)
    return {
      findings: [...troubles, ...check(history)],
      planned: options.rate * options.seconds,
      ...measure(history, faults.firstAt),
      settledMs,
      cuts: faults.cuts(),
    }
  } finally {
    await opened[Symbol.asyncDispose]()
  }
}

/** Each talks to three others. */
const peersOf = (index: number, count: number) => [1, 3, 7].map((step) => (index + step) % count)

const talk = async (people: Participant[], { seconds, rate }: AcceptanceOptions, random: () => number) => {
  const sends: Promise<void>[] = []
  const start = now()
  for (let sent = 0; sent < rate * seconds; sent++) {
    const due = start + (sent * 1_000) / rate
    if (due > now()) await pause(due - now())
    const from = Math.floor(random() * people.length)
    const peers = peersOf(from, people.length)
    const to = peers[Math.floor(random() * peers.length)] as number
    sends.push((people[from] as Participant).send((people[to] as Participant).userId))
  }
  return sends
}

const readAll = async (people: Participant[], history: History): Promise<void> => {
  for (const { userId } of people) history.conversationsOf.set(userId, [])
  for (const [i, person] of people.entries()) {
    for (const peer of peersOf(i, people.length)) {
      const other = people[peer] as Participant
      const conversationId = conversationIdOf(person.userId, other.userId)
      if (history.stored.has(conversationId)) continue
      history.stored.set(conversationId, await person.read(conversationId))
      for (const { userId } of new Set([person, other])) history.conversationsOf.get(userId)?.push(conversationId)
    }
  }
}

const isAllShown = ({ shown, stored, conversationsOf }: History): boolean =>
  Array.from(conversationsOf).every(([userId, ids]) => {
    const expected = ids.reduce((sum, id) => sum + (stored.get(id)?.length ?? 0), 0)
    return (shown.get(userId)?.length ?? 0) >= expected
  })

/** Who is there is seen by three; then some go, and some more at the moment in which a node dies. */
const watchPresence = async (
  people: Participant[],
  cluster: Cluster,
  { presence }: History,
  lastDeathAt: number,
  { withDeaths, say }: AcceptanceOptions,
): Promise<void> => {
  const [watchers, others] = [people.slice(0, 3), people.slice(3)]
  const seen = watchers.map((watcher) => watcher.watch())
  const expect = async (group: Participant[], online: boolean, at: number, boundMs: number) => {
    const isKnown = () => seen.every((sees) => group.every(({ userId }) => sees(userId, online)))
    await until(isKnown)
    // What was known sooner has to stay known.
    for (const { userId } of group) presence.push({ user: userId, online, at, boundMs: Math.min(boundMs, now() - at) })
    say(`${group.length} people ${online ? 'there' : 'gone'}: known after ${Math.round(now() - at)} ms`)
  }
  await expect(people, true, now(), deathMs)
  if (!withDeaths) return
  // Until then a node that died may keep those who were there, wherever they are now.
  await pause(Math.max(0, lastDeathAt + deathMs - now()))
  const half = Math.floor(others.length / 2)
  const leaving = others.slice(0, half)
  const left = now()
  await Promise.all(leaving.map((person) => person.close()))
  await expect(leaving, false, left, leaveMs)
  const dying = others.slice(half, half + Math.ceil(half / 2))
  const died = now()
  await cluster.stopNode(0, 'SIGKILL')
  await Promise.all(dying.map((person) => person.close()))
  await expect(dying, false, died, deathMs)
}

const measure = (history: History, firstFaultAt: number) => {
  const took = history.sent.flatMap(({ at, acknowledged }) => (acknowledged ? [{ at, ms: acknowledged.at - at }] : []))
  const spread = (values: number[]) => {
    const sorted = values.toSorted((a, b) => a - b)
    const at = (share: number) => Math.round(sorted[Math.floor(sorted.length * share)] ?? Number.NaN)
    return { p50: at(0.5), p99: at(0.99), max: Math.round(sorted.at(-1) ?? Number.NaN) }
  }
  const acknowledgedAt = new Map(history.sent.map(({ acknowledged }) => [acknowledged?.id, acknowledged?.at ?? 0]))
  const lastShownAt = new Map<string, number>()
  for (const { id, at } of [...history.shown.values()].flat())
    lastShownAt.set(id, Math.max(at, lastShownAt.get(id) ?? 0))
  return {
    sent: history.sent.length,
    acknowledged: took.length,
    calm: spread(took.flatMap(({ at, ms }) => (at + ms < firstFaultAt ? [ms] : []))),
    overall: spread(took.map(({ ms }) => ms)),
    toScreen: spread(Array.from(lastShownAt, ([id, at]) => Math.max(0, at - (acknowledgedAt.get(id) ?? at)))),
  }
}

const until = async (isMet: () => boolean, ms = settleMaxMs): Promise<void> => {
  const deadline = now() + ms
  while (!isMet() && now() < deadline) await pause(20)
}
