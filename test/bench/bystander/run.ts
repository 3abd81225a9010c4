import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ChatClient, createClient } from '../../../client-sdk/src/node.ts'
import { hashToken } from '../../../server/domain/accounts.ts'
import { openSqliteStore } from '../../../server/store/sqlite/open.ts'
import { cpuSeconds } from '../load/cpu-time.ts'
import { option, parleyProgram, startServer } from '../load/load.ts'
import { attacks } from './attacks.ts'

/**
 * What somebody notices of an attack on the server, with its default limits: how long her calls take at rest and meanwhile.
 *
 *   npm run build && node dist/test/bench/bystander/run.js [--conversations 400] [--messages 50] [--seconds 10] [--profile]
 */
const conversations = option('conversations', 400)
const messages = option('messages', 50)
const seconds = option('seconds', 10)
const everyMs = 25
const profile = process.argv.includes('--profile') ? ['--cpu-prof', '--cpu-prof-dir', '.bench'] : []
const attackerProgram = fileURLToPath(new URL('./attacker.js', import.meta.url))

/** Eve, who attacks, talks with many; Ada, who does not, with one of them. @returns their tokens */
const seed = async (directory: string): Promise<Record<'ada' | 'eve', string>> => {
  await using store = await openSqliteStore({ directory })
  const peers = Array.from({ length: conversations }, (_, i) => `peer${i}`)
  const createdAt = new Date()
  for (const userId of ['ada', 'eve', ...peers])
    await store.createUser({ userId, displayName: userId, passwordHash: '', createdAt })
  const send = (sender: string, to: string, text: string) =>
    store.append({
      conversationId: `dm:${[sender, to].sort().join(':')}`,
      members: [sender, to],
      kind: 'direct',
      sender,
      text,
      clientMessageId: null,
      sentAt: new Date(),
    })
  for (let n = 0; n < messages; n++) {
    const text = `message ${n}, about as long as messages tend to be in a chat of two people`
    await Promise.all([send('peer0', 'ada', text), ...peers.map((peer) => send(peer, 'eve', text))])
  }
  const tokens = { ada: 'a'.repeat(43), eve: 'e'.repeat(43) }
  const expiresAt = new Date(Date.now() + 3_600_000)
  for (const [userId, token] of Object.entries(tokens))
    await store.createSession({ tokenHash: hashToken(token), userId, createdAt, expiresAt })
  return tokens
}

/** Milliseconds of her calls, begun one after the other. */
const callsOf = async (client: ChatClient) => {
  const calls = { me: () => client.me(), history: () => client.history({ conversation: 'peer0', limit: 50 }) }
  const took = { me: [] as number[], history: [] as number[] }
  for (const end = performance.now() + seconds * 1_000; performance.now() < end; ) {
    for (const name of ['me', 'history'] as const) {
      const begun = performance.now()
      await calls[name]()
      took[name].push(performance.now() - begun)
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  }
  return took
}

const tell = (when: string, took: Awaited<ReturnType<typeof callsOf>>, usedSeconds: number) => {
  const words = Object.entries(took).map(([name, all]) => {
    const sorted = all.toSorted((a, b) => a - b)
    const at = (share: number) => sorted[Math.floor(sorted.length * share)]?.toFixed(1)
    return `${name} p50 ${at(0.5)} p99 ${at(0.99)} max ${sorted.at(-1)?.toFixed(1)} ms (${sorted.length})`
  })
  process.stdout.write(`${when}: ${words.join(', ')}; the server used ${usedSeconds.toFixed(1)} s of processor time\n`)
}

const measure = async (name: string) => {
  const directory = mkdtempSync(join(tmpdir(), 'parley-bench-'))
  const tokens = await seed(directory)
  const server = await startServer([...profile, parleyProgram], { DATA_DIR: directory, RATE_LIMITS: 'on' })
  const used = () => cpuSeconds(server.pid)?.process ?? Number.NaN
  const measured = async (when: string, client: ChatClient) => {
    const before = used()
    const took = await callsOf(client)
    tell(when, took, used() - before)
  }
  try {
    await using client = createClient({ url: server.url, token: tokens.ada })
    await measured('at rest', client)
    const attacker = spawn(process.execPath, [attackerProgram, name, server.url, tokens.eve], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(attacker.stdout, 'data')
    await measured(`under attack by ${name}`, client)
    if (attacker.exitCode !== null) throw new Error('The attacker ended by itself.')
    attacker.kill('SIGTERM')
    await once(attacker, 'exit')
  } finally {
    await server.stop()
    rmSync(directory, { recursive: true })
  }
}

for (const name of Object.keys(attacks)) await measure(name)
