import { describe, expect, test } from 'vitest'
import { redisIsInstalled } from '../harness/redis.ts'
import { type AcceptanceOptions, runAcceptance } from './acceptance.ts'
import { check } from './checker.ts'

const secantusd = process.env.SECANTUSD
if (!secantusd && process.env.REQUIRE_SERVICES === '1')
  throw new Error('SECANTUSD names no database that could be stopped, and REQUIRE_SERVICES=1 asks for one')
const missing = !secantusd ? 'SECANTUSD names no database' : redisIsInstalled ? null : 'redis-server is not installed'

/** The short form of `run.ts`. */
const short: Omit<AcceptanceOptions, 'seed'> = {
  seconds: 10,
  users: 12,
  rate: 30,
  nodes: 3,
  outageMs: 1_000,
  withDeaths: false,
  secantusd: secantusd as string,
  say: () => {},
}

describe.skipIf(missing)(`real nodes, Redis and a database${missing ? ` (skipped: ${missing})` : ''}`, () => {
  test('[P1] [P2] [P3] [P4] [P5] [P7] killed, stopped and cut: nothing is lost, shown twice or out of order, and a loss would be found', async () => {
    let findings: string[] = []
    const report = await runAcceptance({
      ...short,
      seed: 1,
      spoil(history) {
        findings = check(history)
        // As an SDK would that loses one message.
        history.shown.get('user0')?.pop()
      },
    })
    expect(findings).toEqual([])
    expect(report.findings).toEqual([expect.stringMatching(/^P5: user0 was never shown /)])
    expect(report).toMatchObject({ planned: 300, sent: 300, acknowledged: 300 })
  })
})
