import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { createInProcessBus } from './bus/in-process.ts'
import { createInProcessPresence } from './bus/in-process-presence.ts'
import type { Joined, joinNodes } from './bus/redis/join.ts'
import type { ChannelTimes } from './bus/redis/peers.ts'
import { systemClock } from './clock.ts'
import type { Config } from './config.ts'
import { createDisposables } from './disposables.ts'
import { createChat } from './domain/chat.ts'
import type { Clock, Log, Ports, Store } from './domain/ports.ts'
import { createRateLimiter, defaultRules, noLimits, perDay } from './domain/rates.ts'
import { siteOf } from './domain/sites.ts'
import { createIntakes } from './fairness/intake.ts'
import { createTimeShares } from './fairness/time-shares.ts'
import { createCallsInFlight } from './http/calls-in-flight.ts'
import { createClientAddress } from './http/client-address.ts'
import { serveHealth } from './http/health.ts'
import { createHostGate } from './http/hosts.ts'
import { createOriginGate } from './http/origins.ts'
import { servePages } from './http/pages.ts'
import { serveParleyPanel } from './http/parley-panel.ts'
import { serveRest } from './http/rest/serve.ts'
import { createHttpServer } from './http/server.ts'
import { serveTrpc } from './http/trpc.ts'
import { serveUpgrades } from './http/upgrades.ts'
import { createLog } from './log.ts'
import { createPasswords } from './passwords.ts'
import { type SocketLimits, socketDefaults } from './socket/limits.ts'
import { createSocketServer } from './socket/server.ts'
import { openSqliteStore } from './store/sqlite/open.ts'
import { createHttpContext, createSocketContext } from './trpc/context.ts'
import { logUnforeseen } from './trpc/errors.ts'
import { appRouter } from './trpc/router.ts'

export interface App extends AsyncDisposable {
  /** Where it serves, such as `http://127.0.0.1:3000`. */
  url: string
  /** Refuses what is new, tells clients to reconnect, lets calls finish (at most `drainMs`), closes everything. */
  drain(drainMs: number): Promise<void>
}

/** What tests hold or break: it replaces the ports that were chosen. */
export type Adapt = (ports: Ports) => Ports

/** What tests set; the defaults are what is served with. */
export interface AppOptions {
  adapt?: Adapt
  openStore?: (config: Config, log: Log) => Promise<Store>
  clock?: Clock
  channelTimes?: Partial<ChannelTimes>
  socketLimits?: Partial<SocketLimits>
}

// What speaks to MongoDB and to Redis takes as long to load as all the rest, and is loaded by those who have one.

const chooseStore = async ({ mongodbUri, dataDirectory }: Config, log: Log): Promise<Store> => {
  if (mongodbUri === null) return openSqliteStore({ directory: dataDirectory, log })
  const { openMongoStore } = await import('./store/mongo/open.ts')
  return openMongoStore({ uri: mongodbUri, log })
}

const joined = async (options: Parameters<typeof joinNodes>[0]): Promise<Joined> => {
  const { joinNodes } = await import('./bus/redis/join.ts')
  return joinNodes(options)
}

/** Clients come back spread over this time, so that the next node is not stormed: 1,000 a second, 10 s at most. */
const spreadMs = (connections: number, drainMs: number) => Math.min(connections, 10_000, drainMs / 3)

/** Requests that run when the server closes have this long; so do those that trickle in or whose answer nobody reads. */
const closeWaitMs = 2_000

const closeHttp = async (server: FastifyInstance): Promise<void> => {
  // Node stops to look at its own deadlines for requests once it closes, and would wait for the slowest of them for ever.
  const timer = setTimeout(() => server.server.closeAllConnections(), closeWaitMs)
  await server.close()
  clearTimeout(timer)
}

/** Chooses the adapters, joins them and serves. Whatever was opened is closed again, also when a step fails. */
export const startApp = async (
  config: Config,
  {
    adapt = (ports) => ports,
    openStore = chooseStore,
    clock = systemClock,
    channelTimes = {},
    socketLimits = {},
  }: AppOptions = {},
): Promise<App> => {
  const log = createLog(config)
  const opened = createDisposables()
  try {
    const store = await openStore(config, log)
    opened.defer(() => store.close())
    const { redisUrl } = config
    const nodes =
      redisUrl === null ? alone(clock) : await joined({ url: redisUrl, store, clock, log, times: channelTimes })
    opened.defer(nodes.close)
    const ports = adapt({
      store,
      bus: nodes.bus,
      presence: nodes.presence,
      passwords: createPasswords(),
      rates: config.rateLimits ? nodes.shareRates(createRateLimiter(clock)) : noLimits,
      rules: {
        ...defaultRules,
        register: { ...defaultRules.register, ...perHour(config.registrationsPerHour) },
        storage: perDay(config.storagePerUser * 1024 * 1024),
      },
      editWindowMs: config.editWindowMinutes === null ? Number.POSITIVE_INFINITY : config.editWindowMinutes * 60_000,
      clock,
      newToken: () => randomBytes(32).toString('base64url'),
      log,
    })
    const chat = createChat(ports)
    opened.defer(() => chat[Symbol.asyncDispose]())

    let draining = false
    const clientAddress = createClientAddress(config.trustedProxies)
    const isOurs = createHostGate(config)
    const fairness = config.rateLimits ? createFairness() : null
    const server = createHttpServer({ ...config, log, isOurs, fairness, clientAddress })
    opened.defer(() => closeHttp(server))
    const limits = { ...socketDefaults, ...socketLimits }
    const takesConnections = () => !draining && socket.stats().connections < limits.sockets
    const beginCalls = createCallsInFlight(clientAddress)
    const createContext = createHttpContext(chat, clock)
    const streams = serveTrpc(server, { createContext, beginCalls, clientAddress, log, takesConnections })
    opened.defer(streams.end)
    serveRest(server, { createContext, beginCalls, log })
    servePages(server, { log })
    serveParleyPanel(server)
    serveHealth(server, { isStopping: () => draining, store: ports.store, trouble: nodes.trouble })
    const socket = createSocketServer({
      router: appRouter,
      path: '/trpc',
      createContext: createSocketContext(chat),
      limits,
      allowHost: isOurs,
      allowOrigin: createOriginGate(config, () => server.server.address() as AddressInfo | null),
      clientAddress,
      ...(fairness && { intakeOf: fairness.intakes.of }),
      siteOf,
      onError: ({ error, path }) => logUnforeseen(log, error, path),
      log,
    })
    opened.defer(() => socket[Symbol.asyncDispose]())
    serveUpgrades(server.server, socket.handleUpgrade)
    const url = await server.listen({ host: config.host, port: config.port }).catch(explainListen(config))

    return {
      url,
      async drain(drainMs) {
        draining = true
        const spread = spreadMs(socket.stats().connections + streams.count(), drainMs)
        await Promise.all([streams.drain(spread), socket.drain({ spreadMs: spread, deadlineMs: drainMs })])
        await opened[Symbol.asyncDispose]()
      },
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    }
  } catch (error) {
    await opened[Symbol.asyncDispose]()
    throw error
  }
}

/** The only node there is. */
const alone = (clock: Clock): Joined => ({
  bus: createInProcessBus(),
  presence: createInProcessPresence(clock),
  shareRates: (local) => local,
  trouble: () => null,
  async close() {},
})

const createFairness = () => {
  const shares = createTimeShares()
  return { shares, intakes: createIntakes(shares) }
}

const perHour = (count: number) => ({ burst: count, everyMs: 3_600_000 / count })

const explainListen =
  ({ host, port }: Config) =>
  (error: NodeJS.ErrnoException): never => {
    const reasons: Record<string, string> = {
      EADDRINUSE: `Port ${port} of ${host} is in use; stop what uses it, or set PORT to another.`,
      EACCES: `Port ${port} may not be used by this user; set PORT to one above 1023.`,
      EADDRNOTAVAIL: `${host} is not an address of this machine; set HOST to one that is.`,
      ENOTFOUND: `${host} is not an address; set HOST to one of this machine.`,
    }
    throw new Error(reasons[error.code ?? ''] ?? error.message, { cause: error })
  }
