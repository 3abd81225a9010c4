import { type Connection, Mongoose, mongo } from 'mongoose'
import type { Log } from '../../domain/ports.ts'
import { waitMaxMs } from './limits.ts'

/** Where it says none: MongoDB's own default is `test`, which others use too. */
const defaultDatabase = 'parley'

export interface Topology {
  connection: Connection
  kind: 'replicaSet' | 'sharded' | 'standalone'
}

/**
 * Opens the connections to a replica set, a sharded cluster or, in development, a standalone.
 * @throws Error in plain words, without what stands before the @ in the URI
 */
export const connect = async (uri: string, log: Log): Promise<Topology> => {
  const where = hostsOf(uri)
  const mongoose = new Mongoose({ sanitizeFilter: true, strictQuery: 'throw', bufferCommands: false })
  const connection = mongoose.createConnection()
  // Without a listener an error would end the process; each call says its own.
  connection.on('error', (error) => log.warn({ error }, 'the connection to MongoDB failed'))
  try {
    await connection.openUri(uri, {
      ...(databaseOf(uri) === null && { dbName: defaultDatabase }),
      appName: 'parley',
      autoIndex: false,
      autoCreate: false,
      serverSelectionTimeoutMS: waitMaxMs,
      connectTimeoutMS: waitMaxMs,
      // A call that is asked for is given up later than its caller is, so that what is known comes to be known.
      socketTimeoutMS: 2 * waitMaxMs,
      waitQueueTimeoutMS: waitMaxMs,
      heartbeatFrequencyMS: 2_000,
      maxPoolSize: 50,
      readPreference: 'primary',
      retryReads: true,
      retryWrites: true,
      writeConcern: { w: 'majority', journal: true, wtimeoutMS: waitMaxMs },
    })
    requireDurable(connection)
    const { msg, setName } = await hello(connection)
    tellOfCuts(connection, where, log)
    return { connection, kind: msg === 'isdbgrid' ? 'sharded' : setName ? 'replicaSet' : 'standalone' }
  } catch (error) {
    await connection.close().catch(() => {})
    throw new Error(explain(error, where), { cause: withoutCredentials(error, uri) })
  }
}

/** What the server says of itself; nobody needs a right for it. */
export const hello = (connection: Connection): Promise<{ setName?: string; msg?: string; localTime?: Date }> =>
  connection.getClient().db('admin').command({ hello: 1 })

/** What the URI itself asks for gives way; this makes sure of it. */
const requireDurable = (connection: Connection): void => {
  const { writeConcern, retryWrites } = connection.getClient().options
  if (writeConcern?.w !== 'majority' || !writeConcern.journal || !retryWrites)
    throw new Error('The driver did not take the settings on which durability rests: w=majority, journal, retryWrites.')
}

const tellOfCuts = (connection: Connection, where: string, log: Log): void => {
  let isCut = false
  connection.on('disconnected', () => {
    if (!isCut) log.error({ where }, 'MongoDB cannot be reached; nothing can be read or written until it can')
    isCut = true
  })
  connection.on('connected', () => {
    if (isCut) log.info({ where }, 'MongoDB can be reached again')
    isCut = false
  })
}

/** The hosts alone: what stands before them is secret. */
export const hostsOf = (uri: string): string =>
  /^mongodb(?:\+srv)?:\/\/(?:[^/?#]*@)?([^/?#@]+)/.exec(uri)?.[1] ?? 'the address in MONGODB_URI'

const databaseOf = (uri: string): string | null => /^[^:]+:\/\/[^/?#]+\/([^?#]+)/.exec(uri)?.[1] ?? null

/** The driver puts the whole URI into some of its messages. */
const withoutCredentials = (error: unknown, uri: string): unknown => {
  if (!(error instanceof Error)) return error
  const credentials = /^[^:]+:\/\/([^/?#]*)@/.exec(uri)?.[1]
  const secrets = credentials ? [credentials, ...credentials.split(':')].filter((secret) => secret !== '') : []
  return secrets.some((secret) => `${error.message}${error.stack}`.includes(secret)) ? undefined : error
}

const codeOf = (error: unknown): unknown => (error instanceof mongo.MongoServerError ? error.code : undefined)
const codes = { unauthorized: 13, authenticationFailed: 18, atlasAuthentication: 8000 }

/** The reasons that lie behind the first one. */
const reasonsOf = (error: unknown): unknown[] => {
  const { reason, cause } = error as { reason?: unknown; cause?: unknown }
  const servers = (reason as { servers?: Map<string, { error: unknown }> } | undefined)?.servers
  const of = servers instanceof Map ? Array.from(servers.values(), (server) => server.error) : []
  return [error, ...of, ...(cause instanceof Error ? reasonsOf(cause) : [])].filter(Boolean)
}

const explain = (error: unknown, where: string): string => {
  const reasons = reasonsOf(error)
  const words = reasons.map((reason) => (reason instanceof Error ? reason.message : String(reason))).join('; ')
  const is = (...wanted: unknown[]) => reasons.some((reason) => wanted.includes(codeOf(reason)))
  if (is(codes.authenticationFailed, codes.atlasAuthentication))
    return `MongoDB at ${where} does not know the name or the password in MONGODB_URI; correct them (and authSource, if the user is of another database).`
  if (is(codes.unauthorized))
    return `MongoDB at ${where} lets the user in MONGODB_URI not use this database; give her the role readWrite on it.`
  if (
    reasons.some(
      (reason) =>
        reason instanceof mongo.MongoParseError ||
        (reason instanceof mongo.MongoAPIError && !(reason instanceof mongo.MongoServerClosedError)),
    )
  )
    return 'MONGODB_URI cannot be read. It looks like mongodb://<user>:<password>@<host>:<port>/<database>; special characters in the password are percent-encoded.'
  if (/ENOTFOUND|EAI_AGAIN|querySrv/.test(words))
    return `MongoDB was not found: ${where} is not a known name. Correct the host in MONGODB_URI.`
  if (/ECONNREFUSED/.test(words))
    return `No MongoDB answers at ${where}: the connection was refused. Start it, or correct MONGODB_URI.`
  if (/certificate|TLS|SSL/i.test(words))
    return `MongoDB at ${where} and this server do not agree on TLS; see tls and tlsCAFile in MONGODB_URI.`
  if (/primary/i.test(words) || (error as Error).name.includes('ServerSelection'))
    return `No MongoDB at ${where} takes writes: none answered within ${waitMaxMs / 1_000} s as the primary. See that the replica set is up and its name in MONGODB_URI is right.`
  return `MongoDB at ${where} cannot be used: ${error instanceof Error ? error.message : String(error)}`
}
