import { type Connection, Mongoose, mongo } from 'mongoose'
import type { Log } from '../../domain/ports.ts'
import { waitMaxMs } from './limits.ts'

/** Where it says none: MongoDB's own default is `test`, which others use too. */
const defaultDatabase = 'parley'

export interface Topology {
  connection: Connection
  kind: 'replicaSet' | 'sharded' | 'standalone'
  close(): Promise<void>
}

/**
 * Opens the connections to a replica set, a sharded cluster or, in development, a standalone.
 * @throws Error in plain words, without what stands before the @ in the URI
 */
export const connect = async (uri: string, log: Log): Promise<Topology> => {
  const where = hostsOf(uri)
  const mongoose = new Mongoose({ sanitizeFilter: true, strictQuery: 'throw', bufferCommands: false })
  const connection = mongoose.createConnection()
  // Without a listener an error would end the process. Nothing is lost here: each call says why it failed.
  connection.on('error', () => {})
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
    const untold = tellOfCuts(connection, where, log)
    return {
      connection,
      kind: msg === 'isdbgrid' ? 'sharded' : setName ? 'replicaSet' : 'standalone',
      close() {
        untold()
        return connection.close()
      },
    }
  } catch (error) {
    await connection.close().catch(() => {})
    throw explained(error, uri)
  }
}

/** What the server says of itself; nobody needs a right for it. */
export const hello = (connection: Connection): Promise<{ setName?: string; msg?: string; localTime?: Date }> =>
  connection.getClient().db('admin').command({ hello: 1 })

/** What the URI itself asks for gives way; this makes sure of it. */
const requireDurable = (connection: Connection): void => {
  const { writeConcern, retryWrites } = connection.getClient().options
  if (writeConcern?.w !== 'majority' || !writeConcern.journal || !retryWrites)
    throw new Error('MONGODB_URI asks for writes that are not durable: remove w, j, journal and retryWrites from it.')
}

/** @returns a function that ends it */
const tellOfCuts = (connection: Connection, where: string, log: Log): (() => void) => {
  let isCut = false
  const tellCut = () => {
    if (!isCut) log.error({ where }, 'MongoDB cannot be reached; nothing can be read or written until it can')
    isCut = true
  }
  connection.on('disconnected', tellCut)
  connection.on('connected', () => {
    if (isCut) log.info({ where }, 'MongoDB can be reached again')
    isCut = false
  })
  return () => void connection.off('disconnected', tellCut)
}

/** The hosts alone: what stands before them is secret, also where it is not written as it should be. */
export const hostsOf = (uri: string): string =>
  /^mongodb(?:\+srv)?:\/\/(?:.*@)?([^/?#@]+)/.exec(uri)?.[1] ?? 'the address in MONGODB_URI'

const databaseOf = (uri: string): string | null => /^[^:]+:\/\/[^/?#]+\/([^?#]+)/.exec(uri)?.[1] ?? null

/** Whether these words repeat something that stands before the hosts, as some of the driver's do. */
const hasCredentials = (words: string, uri: string): boolean => {
  const credentials = /^[^:]+:\/\/(.*)@/.exec(uri)?.[1] ?? ''
  return [credentials, ...credentials.split(':')].some((secret) => secret !== '' && words.includes(secret))
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

/** What the driver throws for a URI or an option that it cannot read; its parser has classes of its own. */
const misread = /^(Mongo(Parse|API|InvalidArgument|MissingCredentials|MissingDependency|)Error|URIError|TypeError)$/

/** The same in plain words that say what to do, without what stands before the hosts in the URI. */
export const explained = (error: unknown, uri: string): Error => new Error(explain(error, hostsOf(uri), uri))

const explain = (error: unknown, where: string, uri: string): string => {
  const reasons = reasonsOf(error)
  const words = reasons.map((reason) => (reason instanceof Error ? reason.message : String(reason))).join('; ')
  const is = (...wanted: unknown[]) => reasons.some((reason) => wanted.includes(codeOf(reason)))
  if (is(codes.authenticationFailed, codes.atlasAuthentication))
    return (
      `MongoDB at ${where} does not know the name or the password in MONGODB_URI; correct them, ` +
      'and authSource if the user is of another database.'
    )
  if (is(codes.unauthorized))
    return `MongoDB at ${where} does not let the user in MONGODB_URI use this database; give her the role readWrite on it.`
  if (error instanceof Error && misread.test(error.name))
    return (
      `MONGODB_URI cannot be read${hasCredentials(error.message, uri) ? '' : ` (${error.message})`}. It looks like ` +
      'mongodb://<user>:<password>@<host>:<port>/<database>; special characters in the password are percent-encoded.'
    )
  if (/ENOTFOUND|EAI_AGAIN|querySrv/.test(words))
    return `MongoDB was not found: ${where} is not a known name. Correct the host in MONGODB_URI.`
  if (/ECONNREFUSED/.test(words))
    return `No MongoDB answers at ${where}: the connection was refused. Start it, or correct MONGODB_URI.`
  if (/certificate|TLS|SSL/i.test(words))
    return `MongoDB at ${where} and this server do not agree on TLS; see tls and tlsCAFile in MONGODB_URI.`
  if (error instanceof Error && error.name.includes('ServerSelection'))
    return (
      `No MongoDB at ${where} takes writes: none answered within ${waitMaxMs / 1_000} s as the primary. ` +
      'See that the replica set is up, and that its name (replicaSet) and tls are right in MONGODB_URI.'
    )
  return `MongoDB at ${where} cannot be used: ${hasCredentials(words, uri) ? (error as Error).name : words}`
}
