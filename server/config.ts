import proxyAddress from '@fastify/proxy-addr'
import { z } from 'zod'
import './contract/words.ts'

const logLevels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
)

const Origin = z
  .url({ protocol: /^https?$/, error: 'an origin such as https://chat.example.org' })
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin === text,
    'an origin: scheme, host and port alone, such as https://chat.example.org',
  )

const isNetwork = (text: string): boolean => {
  try {
    return Boolean(proxyAddress.compile(text))
  } catch {
    return false
  }
}
const Network = z.string().refine(isNetwork, 'an address or a subnet such as 10.0.0.0/8')

const isRedisUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password, pathname } = new URL(text)
  const isDecodable = [username, password].every((part) => !/%(?![0-9a-f]{2})/i.test(part))
  return /^rediss?:$/.test(protocol) && hostname !== '' && isDecodable && /^\/?\d*$/.test(pathname)
}
const RedisUrl = z
  .string()
  .refine(
    isRedisUrl,
    'an address such as redis://127.0.0.1:6379 or rediss://<user>:<password>@<host>:6379/0; what is special in a password is %-encoded',
  )

/** The driver reads the rest, and says what is wrong with it. */
const MongodbUri = z
  .string()
  .regex(/^mongodb(\+srv)?:\/\/./, 'an address such as mongodb://<user>:<password>@<host>:27017/parley')

/** What is secret in these, or next to it, must not be printed. */
const secrets: readonly string[] = ['MONGODB_URI', 'REDIS_URL']

const Environment = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number('a port: 0-65535').int().min(0).max(65_535).default(3000),
  DATA_DIR: z.string().default('./data'),
  MONGODB_URI: MongodbUri.optional(),
  REDIS_URL: RedisUrl.optional(),
  PUBLIC_URL: Origin.optional(),
  ALLOWED_ORIGINS: list.pipe(z.array(Origin)).default([]),
  TRUSTED_PROXIES: list.pipe(z.array(Network)).default([]),
  RATE_LIMITS: z.enum(['on', 'off']).default('on'),
  REGISTRATIONS_PER_HOUR: z.coerce.number('a number of accounts').int().min(1).max(100_000).default(20),
  STORAGE_PER_USER: z.coerce.number('a number of MiB').min(0.01).max(1_000_000).default(64),
  EDIT_WINDOW_MINUTES: z.coerce.number('a number of minutes, or nothing: for ever').min(0).max(5_256_000).optional(),
  LOG_LEVEL: z.enum(logLevels).default('info'),
})

export interface Config {
  host: string
  /** 0: any free one. */
  port: number
  dataDirectory: string
  /** Where given, the store is there and not in the directory. It may hold a password. */
  mongodbUri: string | null
  /** Joins this node with the others; null: it is alone. It may hold a password. */
  redisUrl: string | null
  /** Where people reach this server; null: at an address, or as `localhost`. */
  publicUrl: string | null
  /** Origins of pages that may call, besides the server's own. */
  allowedOrigins: string[]
  /** Addresses or subnets whose `X-Forwarded-For` is believed. */
  trustedProxies: string[]
  rateLimits: boolean
  registrationsPerHour: number
  /** MiB that one user may store within a day. */
  storagePerUser: number
  /** How long after it was sent a message may be edited; null: for ever. */
  editWindowMinutes: number | null
  logLevel: (typeof logLevels)[number]
}

/** @throws Error whose message names every wrong value and what was expected */
export const readConfig = (environment: Record<string, string | undefined>): Config => {
  // An empty value in a .env file means the same as none.
  const trimmed = Object.entries(environment).map(([name, value]) => [name, value?.trim()] as const)
  const given = Object.fromEntries(trimmed.filter(([, value]) => value !== ''))
  const { data, error } = Environment.safeParse(given)
  if (error) {
    const wrong = error.issues.map(({ path, message }) => {
      const name = String(path[0])
      return `  ${name}=${secrets.includes(name) ? '...' : given[name]}: ${message}`
    })
    throw new Error(`The environment has wrong values:\n${wrong.join('\n')}`)
  }
  return {
    host: data.HOST,
    port: data.PORT,
    dataDirectory: data.DATA_DIR,
    mongodbUri: data.MONGODB_URI ?? null,
    redisUrl: data.REDIS_URL ?? null,
    publicUrl: data.PUBLIC_URL ?? null,
    allowedOrigins: data.ALLOWED_ORIGINS,
    trustedProxies: data.TRUSTED_PROXIES,
    rateLimits: data.RATE_LIMITS === 'on',
    registrationsPerHour: data.REGISTRATIONS_PER_HOUR,
    storagePerUser: data.STORAGE_PER_USER,
    editWindowMinutes: data.EDIT_WINDOW_MINUTES ?? null,
    logLevel: data.LOG_LEVEL,
  }
}
