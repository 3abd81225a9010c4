import fc from 'fast-check'
import { fair, smooth, trickling, type Way, type Weather } from '../harness/rough-network.ts'

// What may happen to two or three people who talk. Times are those of the clients, whose clocks run fast here.

/** Who talks: two people, three, or two of whom one has two devices, or two tabs that share an outbox. */
export type Cast = 'two' | 'three' | 'twoDevices' | 'twoTabs'

/** `who` is a device; where a cast has fewer, they are counted around. */
export type Step = { who: number } /** `isLong`: texts as long as they may be. */ & (
  | { type: 'send'; to: number; count: number; isLong: boolean }
  | { type: 'read'; to: number }
  /** Of an own message that is shown; `which` counts back from the newest. */
  | { type: 'edit' | 'delete'; to: number; which: number }
  | { type: 'weather'; weather: WeatherName }
  /** Every connection is reset. */
  | { type: 'kick' }
  /** The client connects anew while its old connection is still open at the server. */
  | { type: 'orphan' }
  /** The chat ends, and another goes on with what it had stored. */
  | { type: 'reopen'; clientFirst: boolean }
  /** The loop beside the chat is left, and another one goes on at its cursor. */
  | { type: 'leaveLoop' }
  | { type: 'restartServer' }
  /** The clock of the machine is set: so far off the real time. */
  | { type: 'setClock'; ms: number }
  /** She signs out, somebody else signs in on the same client, with the chat still open, and out again; then she again. */
  | { type: 'changeUser' }
  /** A backup is made of the server's store, or it is restored from the last one: what was stored in between is gone. */
  | { type: 'backUp' | 'restore' }
  | { type: 'pause'; ms: number }
)

export interface Schedule {
  cast: Cast
  /** Each device gets every so-manieth of its events twice, as a server may tell them; 0: none. */
  repeatEvery: number[]
  /** Whether the outbox is in a file, which tabs have none of. The others keep theirs in memory that outlives the chat. */
  inFile: boolean[]
  steps: Step[]
  /** On a server of its own, whose store is restored from a backup. */
  isRestored: boolean
  /** Who has read everything in the end. */
  readsAll: boolean[]
}

const held: Way = { ...smooth, isHeld: true }
const late: Way = { ...smooth, pieceMs: 150, jitterMs: 600 }
/** Where a long message takes 6 s. */
const slow = trickling(2_000)

const weathers = {
  fair,
  cut: { ...fair, isCut: true },
  frozen: { ...fair, up: held, down: held },
  /** The server hears the client, and is not heard. */
  mute: { ...fair, down: held },
  deaf: { ...fair, up: held },
  lateUp: { ...fair, up: late },
  lateDown: { ...fair, down: late },
  late: { ...fair, up: late, down: late },
  slow: { ...fair, up: slow, down: slow },
} satisfies Record<string, Weather>
export type WeatherName = keyof typeof weathers
export const weatherOf = (name: WeatherName): Weather => weathers[name]

const device = fc.nat({ max: 2 })
const step = <Type extends Step['type']>(type: Type, facts: object = {}) =>
  fc.record({ who: device, type: fc.constant(type), ...facts }) as unknown as fc.Arbitrary<Step>

/** Mostly moments, and sometimes long enough for a dead connection to be noticed. */
const pauseMs = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 200 }) },
  { weight: 4, arbitrary: fc.integer({ min: 200, max: 3_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 3_000, max: 12_000 }) },
)

const common = [
  {
    weight: 36,
    arbitrary: step('send', {
      to: fc.nat({ max: 1 }),
      count: fc.integer({ min: 1, max: 4 }),
      isLong: fc.nat({ max: 7 }).map((n) => n === 7),
    }),
  },
  { weight: 14, arbitrary: step('edit', { to: fc.nat({ max: 1 }), which: fc.nat({ max: 6 }) }) },
  { weight: 5, arbitrary: step('delete', { to: fc.nat({ max: 1 }), which: fc.nat({ max: 6 }) }) },
  { weight: 30, arbitrary: step('pause', { ms: pauseMs }) },
  {
    weight: 18,
    arbitrary: step('weather', { weather: fc.constantFrom(...(Object.keys(weathers) as WeatherName[])) }),
  },
  { weight: 6, arbitrary: step('weather', { weather: fc.constant('fair') }) },
  { weight: 6, arbitrary: step('kick') },
  { weight: 9, arbitrary: step('orphan') },
  { weight: 9, arbitrary: step('read', { to: fc.nat({ max: 1 }) }) },
  { weight: 6, arbitrary: step('reopen', { clientFirst: fc.boolean() }) },
  { weight: 6, arbitrary: step('leaveLoop') },
  { weight: 1, arbitrary: step('restartServer') },
]
const usual = [
  ...common,
  { weight: 2, arbitrary: step('setClock', { ms: fc.integer({ min: -3_600_000, max: 3_600_000 }) }) },
  { weight: 2, arbitrary: step('changeUser') },
]
/** Clocks and users change in the others: here versions, sessions and outboxes go back already. */
const restoring = [...common, { weight: 12, arbitrary: step('backUp') }, { weight: 8, arbitrary: step('restore') }]
const stepsOf = (kinds: typeof usual) => fc.array(fc.oneof(...kinds), { minLength: 8, maxLength: 50, size: 'max' })

const three = <Value>(value: fc.Arbitrary<Value>) => fc.array(value, { minLength: 3, maxLength: 3 })

const scheduleOf = (isRestored: boolean, steps: fc.Arbitrary<Step[]>): fc.Arbitrary<Schedule> =>
  fc.record({
    cast: fc.constantFrom<Cast>('two', 'two', 'three', 'twoDevices', 'twoTabs'),
    repeatEvery: three(fc.constantFrom(0, 2, 5)),
    inFile: three(fc.boolean()),
    steps,
    isRestored: fc.constant(isRestored),
    readsAll: three(fc.boolean()),
  })

export const schedules: fc.Arbitrary<Schedule> = fc.oneof(
  { weight: 9, arbitrary: scheduleOf(false, stepsOf(usual)) },
  { weight: 1, arbitrary: scheduleOf(true, stepsOf(restoring)) },
)
