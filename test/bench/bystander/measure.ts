import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqliteStore } from '../../../server/store/sqlite/open.ts'
import { cpuSeconds, waitedSeconds } from '../load/cpu-time.ts'
import { startServer } from '../load/load.ts'
import { residentBytes, watchResident } from '../load/memory.ts'
import type { Attack, Traffic } from './attack.ts'
import { startAttacker } from './attackers.ts'
import { attacks } from './attacks/index.ts'
import { connectBystander, type Noticed } from './bystander.ts'
import { seedBystander } from './seed.ts'

export interface Measured {
  name: string
  seconds: number
  atRest: Noticed
  underAttack: Noticed
  /** In each second, seconds of a processor that the server used, and that its main thread had to wait for one. */
  cpu: { used: number; waited: number }
  /** Bytes that the server held: before, at the most, and so long after the end of the attack as was asked for. */
  resident: { before: number; most: number; after: number }
  traffic: Traffic
  besides: string[]
}

export interface MeasureOptions {
  name: string
  /** Names of attacks. */
  parts: string[]
  /** Of node, which is to run the server. */
  server: string[]
  /** Null: as the attack has it. */
  seconds: number | null
  /** How long its memory is watched after the attack. */
  secondsAfter: number
}

const standardSeconds = 10
const restSeconds = 5
/** A server that has only just begun is slow. */
const warmUpMs = 1_500

const cpuOf = (pid: number) => ({ used: cpuSeconds(pid)?.process ?? Number.NaN, waited: waitedSeconds(pid) })

const seed = async (directory: string, all: Attack[]) => {
  await using store = await openSqliteStore({ directory })
  await seedBystander(store)
  for (const attack of all) await attack.seed?.(store)
}

/** What the bystander notices on a server of its own, at rest and under attack. */
export const measure = async ({
  name,
  parts,
  server,
  seconds: wanted,
  secondsAfter,
}: MeasureOptions): Promise<Measured> => {
  const all = parts.map((part) => attacks[part] as Attack)
  const seconds = Math.max(
    ...all.map((attack) => Math.max(wanted ?? attack.seconds ?? standardSeconds, attack.secondsMin ?? 0)),
  )
  const directory = mkdtempSync(join(tmpdir(), 'parley-bench-'))
  await seed(directory, all)
  const environment = Object.assign({}, ...all.map((attack) => attack.environment))
  const { url, pid, stop } = await startServer(server, { DATA_DIR: directory, RATE_LIMITS: 'on', ...environment })
  try {
    const bystander = await connectBystander(url)
    await bystander.during(warmUpMs)
    const atRest = await bystander.during(Math.min(seconds, restSeconds) * 1_000)

    const before = residentBytes(pid)
    const endWatch = watchResident(pid)
    const running = await Promise.all(
      parts.map((part, i) => startAttacker({ name: part, url, address: `127.0.0.${2 + i}`, seconds })),
    )
    await sleep(Math.max(...all.map((attack) => attack.buildUpSeconds ?? 0)) * 1_000)
    const cpuBefore = cpuOf(pid)
    const begun = performance.now()
    const underAttack = await bystander.during(seconds * 1_000)
    const elapsed = (performance.now() - begun) / 1_000
    const cpuAfter = cpuOf(pid)
    const cpu = {
      used: (cpuAfter.used - cpuBefore.used) / elapsed,
      waited: (cpuAfter.waited - cpuBefore.waited) / elapsed,
    }
    const outcomes = await Promise.all(running.map((attack) => attack.end()))
    await sleep(secondsAfter * 1_000)
    bystander.close()
    const after = residentBytes(pid)
    const most = Math.max(endWatch(), after)

    const sum = (what: keyof Traffic) => outcomes.reduce((total, { traffic }) => total + traffic[what], 0)
    return {
      name,
      seconds: elapsed,
      atRest,
      underAttack,
      cpu,
      resident: { before, most, after },
      traffic: { cut: sum('cut'), refused: sum('refused'), read: sum('read'), written: sum('written') },
      besides: outcomes.flatMap(({ besides }) => besides ?? []),
    }
  } finally {
    await stop()
    rmSync(directory, { recursive: true })
  }
}
