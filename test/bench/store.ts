import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { Draft, Store } from '../../server/domain/ports.ts'
import { openSqliteStore } from '../../server/store/sqlite/open.ts'

/** What the SQLite store does on this machine, in about 20 s: `npm run build && node dist/test/bench/store.js`. */

const conversations = 150
const text =
  'About as long as chat messages tend to be, one hundred and twenty characters, of which this is the last one: .......... '
const print = (line: string) => process.stdout.write(`${line}\n`)

let sent = 0
/** Begins with the time, as the SDK's do. */
const clientMessageId = () => Date.now().toString(16).padStart(12, '0') + randomUUID().slice(12)
const draft = (): Draft => {
  const conversation = (sent++ * 7919) % conversations
  const [a, b] = [`user${conversation}.a`, `user${conversation}.b`]
  return {
    conversationId: `dm:${a}:${b}`,
    kind: 'direct',
    members: [a, b],
    sender: sent % 2 ? a : b,
    text,
    clientMessageId: clientMessageId(),
    sentAt: new Date(),
  }
}

/** Nanoseconds of processor time of this thread alone; Linux only. */
const threadNs = () => {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0])
  } catch {
    return Number.NaN
  }
}

/** `concurrency` callers, each with one append at a time. */
const appends = async (store: Store, concurrency: number, count: number) => {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const latencies: number[] = []
  delay.enable()
  const [startCpu, startMain, start] = [process.cpuUsage(), threadNs(), performance.now()]
  let left = count
  const caller = async () => {
    while (left-- > 0) {
      const asked = performance.now()
      await store.append(draft())
      latencies.push(performance.now() - asked)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, caller))
  const seconds = (performance.now() - start) / 1000
  const cpu = process.cpuUsage(startCpu)
  delay.disable()
  latencies.sort((a, b) => a - b)
  return {
    rate: count / seconds,
    cpuUs: (cpu.user + cpu.system) / count,
    mainUs: (threadNs() - startMain) / 1000 / count,
    loopP99Ms: delay.percentile(99) / 1e6,
    p50Ms: latencies[count >> 1]!,
    p99Ms: latencies[Math.floor(count * 0.99)]!,
  }
}

const timed = async (name: string, count: number, run: () => Promise<unknown>) => {
  const start = performance.now()
  for (let i = 0; i < count; i++) await run()
  const ms = performance.now() - start
  print(
    `${name.padEnd(48)} ${((ms * 1000) / count).toFixed(0).padStart(6)} us each, ${((count / ms) * 1000).toFixed(0)}/s`,
  )
}

const directory = mkdtempSync(join(tmpdir(), 'parley-bench-'))
try {
  const store = await openSqliteStore({ directory })
  await appends(store, 200, 20_000)
  for (const [concurrency, count] of [
    [1, 1_000],
    [20, 20_000],
    [100, 80_000],
    [200, 80_000],
    [300, 80_000],
    [1000, 60_000],
  ] as const) {
    const before = store.inspect()
    const { rate, cpuUs, mainUs, loopP99Ms, p50Ms, p99Ms } = await appends(store, concurrency, count)
    const perCommit = count / (store.inspect().commits - before.commits)
    print(
      `${String(concurrency).padStart(4)} at once: ${rate.toFixed(0).padStart(6)} appends/s, ${perCommit.toFixed(0)} a commit, ` +
        `cpu ${cpuUs.toFixed(1)} us each (main thread ${mainUs.toFixed(1)}), ` +
        `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, event loop p99 ${loopP99Ms.toFixed(1)} ms`,
    )
  }

  const { conversationId, members, sender } = draft()
  const { lastSeq } = (await store.conversation(conversationId))!
  const version = await store.version()
  print(`${sent} messages, ${conversations} conversations, ${lastSeq} in the one that is read`)
  const from = () => 1 + Math.floor(Math.random() * (lastSeq - 50))
  await timed('page of 50', 5_000, () => {
    const to = from() + 49
    return store.messages({ conversationId, from: 1, to, limit: 50, newest: true })
  })
  await timed('seqAt', 2_000, () => store.seqAt(conversationId, new Date()))
  await timed('conversation', 5_000, () => store.conversation(conversationId))
  await timed('version', 5_000, () => store.version())
  await timed('changes of the last 1,000 versions', 2_000, () =>
    firstPage(store.changes(sender, { after: version - 1000, upTo: version, except: [] }, 100)),
  )
  await timed('undelivered, 100 of all', 1_000, () =>
    firstPage(store.undelivered(sender, { after: 0, upTo: version }, 100)),
  )
  await timed('conversations, 50 with their unread', 500, () => store.conversations(members[1]!, null, 50))
  const many = Array.from({ length: 500 }, (_, i) => `user${i % conversations}.a`)
  await timed('latestVersions of 500 users', 200, () => store.latestVersions(many, version - 1000))

  let moved = 0
  const start = performance.now()
  const caller = async () => {
    while (moved < 40_000) {
      const conversation = moved++ % conversations
      const [a, b] = [`user${conversation}.a`, `user${conversation}.b`]
      await store.advance([
        {
          conversationId: `dm:${a}:${b}`,
          userId: a,
          deliveredSeq: 1 + Math.floor(moved / conversations),
          readSeq: 0,
        },
      ])
    }
  }
  await Promise.all(Array.from({ length: 200 }, caller))
  print(`receipts: ${((moved / (performance.now() - start)) * 1000).toFixed(0)}/s, 200 at once`)
  await store.close()
} finally {
  rmSync(directory, { recursive: true, force: true })
}

async function firstPage<Page>(pages: AsyncIterable<Page>): Promise<Page | null> {
  for await (const page of pages) return page
  return null
}
