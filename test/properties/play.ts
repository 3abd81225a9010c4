import { join } from 'node:path'
import { fileStorage } from '../../client-sdk/src/chat/outbox/file-storage.ts'
import { sleep } from '../../client-sdk/src/connection/sleep.ts'
import { temporaryDirectory } from '../harness/directory.ts'
import { startRoughNetwork } from '../harness/rough-network.ts'
import { sharedStorage } from '../harness/shared-storage.ts'
import type { Arena } from './arena.ts'
import { createDevice, type Device, type Sabotage } from './device.ts'
import { createFindings, type Findings } from './findings.ts'
import { judge } from './judge.ts'
import { type Cast, type Schedule, type Step, weatherOf } from './schedule.ts'

/** Who has how many devices. */
const casts: Record<Cast, Record<string, number>> = {
  two: { ada: 1, bob: 1 },
  three: { ada: 1, bob: 1, cyd: 1 },
  twoDevices: { ada: 2, bob: 1 },
  twoTabs: { ada: 2, bob: 1 },
}

export interface Playing {
  sabotage?: Sabotage | undefined
  /** So long, in the clients' time, is waited for what should come. Default 300,000. */
  deadlineMs?: number | undefined
  /** Ends it before its end. */
  signal?: AbortSignal
}

/**
 * Plays a schedule from its beginning to its end.
 * @throws Finding when the property does not hold; the signal's reason
 */
export const play = async (
  arena: Arena,
  schedule: Schedule,
  { sabotage = {}, deadlineMs = 300_000, signal }: Playing = {},
) => {
  const findings = createFindings(deadlineMs)
  const giveUp = () => findings.fail(signal?.reason)
  signal?.addEventListener('abort', giveUp)
  await using directory = await temporaryDirectory()
  await using own = schedule.isRestored ? await arena.another() : null
  const stage = own ?? arena
  let restored: Date | null = null
  const devices = await openDevices(stage, schedule, {
    directory: directory.path,
    findings,
    sabotage,
    restored: () => restored,
  })
  try {
    await findings.until(
      () => devices.every((device) => device.isFollowing()),
      () => 'Not everybody could begin',
    )
    for (const step of schedule.steps) {
      await take(step, devices[step.who % devices.length] as Device, stage)
      if (step.type === 'restore' && (await stage.restore())) restored = new Date()
      findings.throwIfAny()
    }
    for (const { network } of devices) network.heal()
    await judge(devices, { readsAll: schedule.readsAll, restored }, findings)
  } finally {
    signal?.removeEventListener('abort', giveUp)
    for (const device of devices) {
      await device.end(false)
      await device.network[Symbol.asyncDispose]()
    }
  }
}

const openDevices = async (
  arena: Arena,
  { cast, inFile, repeatEvery }: Schedule,
  { directory, ...common }: { directory: string; findings: Findings; sabotage: Sabotage; restored(): Date | null },
): Promise<Device[]> => {
  const people = await Promise.all(Object.entries(casts[cast]).map(([name, count]) => arena.signUp(name, count)))
  const sessions = people.flatMap(({ userId, tokens }) => tokens.map((token) => ({ userId, token })))
  const shared = sharedStorage().storage
  const takenBack = new Set<string>()
  const storageOf = (i: number) => {
    if (cast === 'twoTabs' && sessions[i]?.userId === sessions[0]?.userId) return shared
    return inFile[i] ? fileStorage(join(directory, String(i))) : sharedStorage().storage
  }
  return Promise.all(
    sessions.map(async ({ userId, token }, i) =>
      createDevice({
        ...common,
        arena,
        name: `${userId}-${i + 1}`,
        userId,
        isOneOfSeveral: sessions.filter((session) => session.userId === userId).length > 1,
        takenBack,
        peers: people.map((person) => person.userId).filter((name) => name !== userId),
        token,
        network: await startRoughNetwork(arena.target),
        storage: storageOf(i),
        repeatEvery: repeatEvery[i] ?? 0,
      }),
    ),
  )
}

const take = async (step: Step, device: Device, arena: Arena): Promise<void> => {
  if (step.type === 'send') device.send(step.to, step.count, step.isLong)
  if (step.type === 'read') device.read(step.to)
  if (step.type === 'edit') device.edit(step.to, step.which)
  if (step.type === 'delete') device.delete(step.to, step.which)
  if (step.type === 'weather') device.network.become(weatherOf(step.weather))
  if (step.type === 'kick') device.network.kick()
  if (step.type === 'orphan') device.network.orphan()
  if (step.type === 'reopen') await device.reopen(step.clientFirst)
  if (step.type === 'leaveLoop') await device.leaveLoop()
  if (step.type === 'setClock') arena.setClock(step.ms)
  if (step.type === 'changeUser') await device.changeUser()
  if (step.type === 'backUp') await arena.backUp()
  if (step.type === 'restartServer') await arena.restart()
  if (step.type === 'pause') await sleep(step.ms, new AbortController().signal)
}
