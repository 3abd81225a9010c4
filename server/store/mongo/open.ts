import { ChatError } from '../../contract/index.ts'
import type { Change, Log, Store } from '../../domain/ports.ts'
import { userCreation } from './account-writes.ts'
import { accountStore } from './accounts.ts'
import { appendOf } from './append-outcomes.ts'
import { backlogStore } from './backlog.ts'
import { changeStore } from './changes.ts'
import { connect, explained, type Topology } from './connect.ts'
import { conversationStore } from './conversations.ts'
import { inTime, unavailable, wordsOf } from './errors.ts'
import { changesOf, createWrites, type Write } from './group-writes.ts'
import { knownNetworkStore } from './known-networks.ts'
import { deletionOf, editOf } from './message-changes.ts'
import { takeNodeNumber } from './node-number.ts'
import { nodeStore } from './nodes.ts'
import { prepare } from './prepare.ts'
import { advanceOf } from './receipt-writes.ts'
import { defineModels } from './schema.ts'
import { clockFault } from './server-clock.ts'
import { createVersions } from './versions.ts'
import { startWrites } from './writes.ts'

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

    const carryOut = createWrites({ models, versions, log })
    const writes = startWrites<Write>(
      async (group) => {
        await mayGiveVersions()
        return carryOut(group)
      },
      (write, result) => tellLate(changesOf(write, result)),
      log,
    )

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
    const pagesWhileOpen = <Parameters extends unknown[], Page>(
      ask: (...parameters: Parameters) => AsyncIterable<Page>,
    ) =>
      async function* (...parameters: Parameters): AsyncGenerator<Page, void> {
        if (closed) throw unavailable('the store is closed')
        for await (const page of ask(...parameters)) {
          yield page
          if (closed) throw unavailable('the store is closed')
        }
      }
    const guarded = <Port extends object>(port: Port): Port =>
      Object.fromEntries(
        Object.entries(port).map(([name, ask]) => [name, typeof ask === 'function' ? whileOpen(ask) : ask]),
      ) as Port
    const { changes, allChanges, undelivered } = changeStore(models)

    return {
      ...guarded(accountStore(models, nextVersion)),
      ...guarded(knownNetworkStore(models)),
      ...guarded(conversationStore(models)),
      ...guarded(backlogStore(models, nextVersion)),
      ...guarded(nodeStore(models)),
      changes: pagesWhileOpen(changes),
      allChanges: pagesWhileOpen(allChanges),
      undelivered: pagesWhileOpen(undelivered),
      // Of the same depth all of them, so that they resolve in the order in which the group settles them.
      createUser: (user) => writes.write(userCreation(user)),
      updateProfile: (userId, { displayName }) => writes.write({ type: 'updateProfile', userId, displayName }),
      append: (draft) => writes.write(appendOf(draft)),
      edit: (edit) => writes.write(editOf(edit)),
      delete: (deletion) => writes.write(deletionOf(deletion)),
      advance: (moves) => (moves.length === 0 ? Promise.resolve([]) : writes.write(advanceOf(moves))),
      onLate(tell) {
        tellLate = tell
      },
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

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
