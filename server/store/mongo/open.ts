import { ChatError } from '../../contract/index.ts'
import type { Change, Log, MessageStore, Store } from '../../domain/ports.ts'
import { accountStore } from './accounts.ts'
import { type Advance, advanceOf, createAdvances } from './advances.ts'
import { type Append, appendOf, createAppends } from './appends.ts'
import { changeStore } from './changes.ts'
import { connect, explained, type Topology } from './connect.ts'
import { conversationStore } from './conversations.ts'
import { inTime, unavailable, wordsOf } from './errors.ts'
import { createHeads } from './heads.ts'
import { takeNodeNumber } from './node-number.ts'
import { nodeStore } from './nodes.ts'
import { prepare } from './prepare.ts'
import { defineModels } from './schema.ts'
import { clockFault } from './server-clock.ts'
import { createVersions } from './versions.ts'
import { type Outcome, startWrites } from './writes.ts'

export interface MongoOptions {
  uri: string
  log?: Log
  /** This machine's clock: milliseconds since 1970. */
  now?: () => number
}

export interface MongoStore extends Store, AsyncDisposable {
  inspect(): {
    topology: Topology['kind']
    node: number
    groups: number
    writes: number
    again: number
    unknown: number
  }
}

/** A clock can be set while the server runs. */
const clockCheckMs = 60_000
/** Set by more than this, it is compared with the database's before anything else is written. */
const clockStepMs = 1_000
/** A number that is not given back is free a minute later. */
const releaseMs = 1_000
/** Whoever asks whether the store serves does not wait for long. */
const pingMs = 2_000

/**
 * The store in MongoDB: a replica set or a sharded cluster, for any number of nodes up to 64; in development a standalone.
 * @throws Error in plain words: it cannot be reached, refuses us, holds something else or something newer, or its clock
 * and ours differ
 */
export const openMongoStore = async ({ uri, log = silent, now = Date.now }: MongoOptions): Promise<MongoStore> => {
  const { connection, kind, close: disconnect } = await connect(uri, log)
  try {
    let fault = await clockFault(connection, now)
    if (fault) throw new Error(fault)
    if (kind === 'standalone')
      log.warn({}, 'this MongoDB is a standalone: good for development, but what it acknowledged is lost with its disk')
    const models = defineModels(connection, kind === 'standalone' ? 'local' : 'majority')
    await prepare(connection, models, log)
    const node = await takeNodeNumber(models, now, log)
    const versions = createVersions(node.current, now)
    const appendAll = createAppends({ models, heads: createHeads(models), versions, log })
    const advanceAll = createAdvances({ models, versions, log })

    let tellLate = (_changes: Change[]): void => {}

    const checkClock = async () => {
      const before = fault
      fault = await clockFault(connection, now)
      if (fault && !before) log.error({ reason: fault }, 'nothing is written until the clocks agree')
      if (before && !fault) log.info({}, 'the clocks agree again')
    }
    // Against a clock that cannot be set: one version from the future would carry readers past what others write.
    const aheadMs = () => now() - performance.now()
    let checkedAheadMs = aheadMs()
    /** Before versions are given. @throws ChatError `unavailable` */
    const mayGiveVersions = async () => {
      if (Math.abs(aheadMs() - checkedAheadMs) > clockStepMs) {
        const checking = aheadMs()
        await checkClock()
        checkedAheadMs = checking
      }
      if (fault) throw unavailable(fault)
      await node.hold()
    }
    const nextVersion = async () => {
      await mayGiveVersions()
      return versions.next()
    }

    const write = async (group: (Append | Advance)[]) => {
      await mayGiveVersions()
      const appends = group.filter((write) => write.type === 'append')
      const advances = group.filter((write) => write.type === 'advance')
      const [appended, advanced] = await Promise.all([
        appends.length > 0 ? appendAll(appends) : [],
        advances.length > 0 ? advanceAll(advances) : [],
      ])
      const outcomes = new Map<Append | Advance, Outcome<unknown>>()
      for (const [i, append] of appends.entries()) outcomes.set(append, appended[i] as Outcome<unknown>)
      for (const [i, advance] of advances.entries()) outcomes.set(advance, advanced[i] as Outcome<unknown>)
      return group.map((write) => outcomes.get(write) as Outcome<unknown>)
    }
    const writes = startWrites<Append | Advance>(write, (result) => tellLate(changesOf(result as Written)), log)

    const clockTimer = setInterval(() => {
      checkClock().catch((error: unknown) =>
        log.warn({ reason: wordsOf(error) }, 'cannot compare the clocks; trying again'),
      )
    }, clockCheckMs)
    clockTimer.unref()

    let closed: Promise<void> | null = null
    const close = () => {
      closed ??= (async () => {
        clearInterval(clockTimer)
        await writes.close()
        await inTime(node.release(), releaseMs).catch((error: unknown) =>
          log.warn({ reason: wordsOf(error) }, 'cannot give back the number of this node'),
        )
        await disconnect()
      })()
      return closed
    }
    const whileOpen =
      <Parameters extends unknown[], Result>(ask: (...parameters: Parameters) => Promise<Result>) =>
      async (...parameters: Parameters): Promise<Result> => {
        if (closed) throw unavailable('the store is closed')
        return ask(...parameters)
      }
    const guarded = <Port extends object>(port: Port): Port =>
      Object.fromEntries(
        Object.entries(port).map(([name, ask]) => [name, typeof ask === 'function' ? whileOpen(ask) : ask]),
      ) as Port

    const messageWrites: Pick<MessageStore, 'append' | 'advance' | 'onLate'> = {
      onLate(tell) {
        tellLate = tell
      },
      append: (draft) => writes.write(appendOf(draft)),
      advance: async (moves) => (moves.length === 0 ? [] : writes.write(advanceOf(moves))),
    }
    return {
      ...guarded(accountStore(models, nextVersion)),
      ...guarded(conversationStore(models)),
      ...guarded(changeStore(models, nextVersion)),
      ...guarded(nodeStore(models)),
      ...messageWrites,
      ping: whileOpen(async () => {
        if (fault) throw new ChatError('unavailable', { message: fault })
        await inTime(node.renew(), pingMs).catch((cause: unknown) => {
          throw new ChatError('unavailable', { message: 'The store cannot be reached.', cause })
        })
      }),
      inspect: () => ({ topology: kind, node: node.current(), ...writes.counted() }),
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await disconnect().catch(() => {})
    throw error instanceof Error && error.name.startsWith('Mongo') ? explained(error, uri) : error
  }
}

type Written = Awaited<ReturnType<MessageStore['append'] | MessageStore['advance']>>
const changesOf = (written: Written): Change[] =>
  Array.isArray(written)
    ? written.map((receipt): Change => ({ type: 'receipt', version: receipt.version, receipt }))
    : [{ type: 'message', version: written.message.version, message: written.message }]

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
