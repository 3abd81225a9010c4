import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  type ConnectionEvent,
  initialMachine,
  type Machine,
  next,
  type Phase,
} from '../../client-sdk/src/connection/machine.ts'
import { ChatError } from '../../server/contract/index.ts'

// The table of the SDK's connection (client-sdk/src/connection/transitions.md), walked row by row: what it says happens,
// and what it does not say changes nothing.

const phases: Phase[] = [
  'idle',
  'asking',
  'opening',
  'checking',
  'proving',
  'live',
  'moving',
  'offline',
  'signedOut',
  'closed',
]
const withSocket: Phase[] = ['opening', 'checking', 'proving', 'live', 'moving']

const ada = { token: 'a', owner: { token: 'a', userId: 'ada' } }
const unavailable = new ChatError('unavailable')
const sessionEnded = new ChatError('sessionEnded')

/** Each event by its words in the table, with what is known before it. */
const events: Record<string, { event: ConnectionEvent; before?: Partial<Machine> }> = {
  connect: { event: { type: 'connect' } },
  retry: { event: { type: 'retry' } },
  'a token': { event: { type: 'token', token: 'a' } },
  'no token': { event: { type: 'token', token: null } },
  'no token, the one before having ended': { event: { type: 'token', token: null }, before: { reason: 'ended' } },
  'not opened': { event: { type: 'notOpened', error: unavailable } },
  'opened, nobody’s': { event: { type: 'opened' } },
  'opened, of a known owner': { event: { type: 'opened' }, before: ada },
  'opened, of an unknown owner': { event: { type: 'opened' }, before: { token: 'a' } },
  'opened, of an unknown owner, where tokens vary': {
    event: { type: 'opened' },
    before: { token: 'a', tokensVary: true },
  },
  answered: { event: { type: 'answered', isError: false } },
  'answered with an error': { event: { type: 'answered', isError: true } },
  'the owner': { event: { type: 'owner', userId: 'ada' }, before: ada },
  'another owner': { event: { type: 'owner', userId: 'eve' }, before: ada },
  'no owner, as it is nobody’s': { event: { type: 'ownerRefused', error: unavailable } },
  'the owner is not told': { event: { type: 'ownerRefused', error: unavailable }, before: { token: 'a' } },
  'refused for now': { event: { type: 'refused', error: unavailable } },
  'refused for another reason': { event: { type: 'refused', error: new ChatError('badRequest') } },
  'the session has ended': { event: { type: 'refused', error: sessionEnded }, before: ada },
  'the session has ended, and the one before': {
    event: { type: 'refused', error: sessionEnded },
    before: { ...ada, refusedTokens: 1 },
  },
  'closed by the server': { event: { type: 'closedByServer', code: 1006, reason: '' } },
  'closed for what was said (1002, 1007, 1008, 1009)': { event: { type: 'closedByServer', code: 1008, reason: '' } },
  'closed as the session has ended (4401)': { event: { type: 'closedByServer', code: 4401, reason: '' }, before: ada },
  'closed as the session has ended (4401), and the one before': {
    event: { type: 'closedByServer', code: 4401, reason: '' },
    before: { ...ada, refusedTokens: 1 },
  },
  lost: { event: { type: 'lost', error: unavailable } },
  move: { event: { type: 'move' } },
  renew: { event: { type: 'renew', error: unavailable } },
  'sign-in begun': { event: { type: 'signIn', isUnderWay: true } },
  'sign-in failed': { event: { type: 'signIn', isUnderWay: false }, before: { isSigningIn: true } },
  'signed in': { event: { type: 'signedIn', token: 'a', userId: 'ada' }, before: { isSigningIn: true } },
  'sign out': { event: { type: 'signOut' }, before: ada },
  close: { event: { type: 'close' } },
}

const machineIn = (phase: Phase, before: Partial<Machine> = {}): Machine => ({
  ...initialMachine(null, false),
  ...before,
  phase,
})

interface Row {
  event: string
  inPhases: Phase[]
  becomes: Phase | null
  effects: string[]
}

const cellsOf = (line: string) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
const codes = (cell: string) => Array.from(cell.matchAll(/`(\w+)`/g), ([, code]) => code as string)
const phasesOf = (cell: string): Phase[] => {
  if (cell === 'all but `closed`') return phases.filter((phase) => phase !== 'closed')
  return [...(cell.includes('with a socket') ? withSocket : []), ...(codes(cell) as Phase[])]
}

const text = readFileSync(new URL('../../client-sdk/src/connection/transitions.md', import.meta.url), 'utf8')
const rows = text
  .slice(text.indexOf('| event |'))
  .trim()
  .split('\n')
  .slice(2)
  .map((line): Row => {
    const [event = '', inCell = '', becomes = '', effects = ''] = cellsOf(line)
    return {
      event,
      inPhases: phasesOf(inCell),
      becomes: becomes === 'the same' ? null : ((codes(becomes)[0] ?? '') as Phase),
      effects: codes(effects),
    }
  })

test('the table names every event', () => {
  expect(new Set(rows.map(({ event }) => event))).toEqual(new Set(Object.keys(events)))
})

test.for(Object.keys(events))('%s', (name) => {
  const { event, before } = events[name]!
  for (const phase of phases) {
    const row = rows.find((row) => row.event === name && row.inPhases.includes(phase))
    const machine = machineIn(phase, before)
    const [after, effects] = next(machine, event)
    const isLeft = row?.becomes && withSocket.includes(phase) && !withSocket.includes(row.becomes)
    const expected = [...(isLeft ? ['dropSocket'] : []), ...(row?.effects ?? [])]
    expect([phase, after.phase, effects]).toEqual([phase, row?.becomes ?? phase, expected])
    if (!row) expect({ ...after, attempt: 0, owner: null }).toEqual({ ...machine, attempt: 0, owner: null })
    expect(next(machine, event)).toEqual([after, effects])
  }
})

test('what a loss means for what has no answer: refused it was not done, closed it may be, for good it ends', () => {
  const lossOf = (name: string) => {
    const { event, before } = events[name]!
    return next(machineIn('live', before), event)[0].lost?.loss
  }
  expect(lossOf('refused for now')).toBe('notDone')
  expect(lossOf('the session has ended')).toBe('notDone')
  expect(lossOf('closed by the server')).toBe('maybeDone')
  expect(lossOf('closed as the session has ended (4401)')).toBe('maybeDone')
  expect(lossOf('closed for what was said (1002, 1007, 1008, 1009)')).toBe('atFault')
  expect(lossOf('renew')).toBe('maybeDone')
  for (const name of ['another owner', 'sign out', 'close']) expect(lossOf(name)).toBe('forGood')
})

test('attempts are counted until an answer comes, and a token that was refused is not used again', () => {
  const step = (machine: Machine, name: string) => next(machine, events[name]!.event)[0]
  let machine = machineIn('idle', { token: 'a' })
  for (const attempt of [1, 2, 3]) {
    machine = step(machine, attempt === 1 ? 'connect' : 'retry')
    expect(machine).toMatchObject({ phase: 'asking', attempt })
    machine = step(machine, 'not opened')
  }
  machine = step(step(step(machine, 'retry'), 'a token'), 'opened, of an unknown owner')
  expect(machine).toMatchObject({ phase: 'proving', attempt: 4, token: 'a' })
  machine = step(machine, 'answered')
  expect(machine).toMatchObject({ phase: 'live', attempt: 0 })
  machine = step(machine, 'the session has ended')
  expect(machine).toMatchObject({ phase: 'offline', reason: 'ended', refusedTokens: 1 })
  expect(step(machine, 'retry')).toMatchObject({ phase: 'asking', reason: 'ended', token: null })
})

test('who signs in does so on a connection that is nobody’s, and who has logged out is nobody until then', () => {
  const signingIn = machineIn('asking', { isSigningIn: true })
  expect(next(signingIn, { type: 'token', token: 'of somebody' })[0]).toMatchObject({ phase: 'opening', token: null })
  const [live] = next({ ...signingIn, phase: 'live' }, events['signed in']!.event)
  expect(live).toMatchObject({ ...ada, isSigningIn: false, isLoggedOut: false })
  const [out] = next(live, { type: 'signOut' })
  expect(out).toMatchObject({ phase: 'signedOut', token: null, owner: null, isLoggedOut: true })
})
