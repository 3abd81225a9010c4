import { Redis } from 'ioredis'
import type { Log } from '../../domain/ports.ts'
import { explainRedis, placeOf } from './explain.ts'

/** Redis may be a moment later than we are, as when both are started together; but a wrong password stays wrong. */
const startMs = 5_000
const hopeless = /WRONGPASS|NOAUTH|NOPERM|invalid password|DB index|Please report this|Protocol error/i
/** What the driver says of its own state, after the error that led to it. */
const afterwards = /Stream isn't writeable|Connection is closed/

export interface RedisConnections {
  /** For all but listening. Commands that cannot be sent at once fail at once. */
  commands: Redis
  /** For listening alone. It does not subscribe again by itself after a cut: whoever listens has to know of the cut. */
  subscriber: Redis
  /** Both are made anew, where they hang. */
  reconnect(): void
  /** What is wrong, in a sentence; null: nothing that is known. */
  trouble(): string | null
  close(): void
}

/**
 * Two connections to one Redis, which come back by themselves.
 * @throws Error in plain words where Redis cannot be used at the start; nothing stays open then
 */
export const connectRedis = async ({ url, log }: { url: string; log: Log }): Promise<RedisConnections> => {
  const open = () =>
    new Redis(url, {
      lazyConnect: true,
      connectTimeout: startMs,
      retryStrategy: (attempt) => Math.min(attempt * 100, 1_000) * (0.75 + Math.random() / 2),
      maxRetriesPerRequest: 0,
      autoResubscribe: false,
      // What waited while Redis was away is of no use any more: everybody has read the store meanwhile.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      // It was the primary, and is a replica since a failover: the name leads to the new one.
      reconnectOnError: ({ message }) => message.startsWith('READONLY'),
    })
  const commands = open()
  const subscriber = open()
  const both = [commands, subscriber]
  let trouble: string | null = null
  let started = false
  let closed = false

  const isReady = () => both.every(({ status }) => status === 'ready')
  for (const redis of both) {
    // An error of the driver may carry the password among the arguments of a command: only its words go on from here.
    redis.on('error', (error: Error) => {
      if (trouble === null || !afterwards.test(error.message)) trouble = explainRedis(error, url)
    })
    redis.on('close', () => {
      trouble ??= explainRedis(new Error('closed'), url)
      if (started && !closed && both.filter(({ status }) => status === 'ready').length === 1)
        log.warn({ reason: trouble }, 'Redis is away; this node goes on by itself')
    })
    redis.on('ready', () => {
      if (!isReady()) return
      trouble = null
      if (started) log.info({ redis: placeOf(url) }, 'Redis is back')
    })
  }
  const close = () => {
    closed = true
    for (const redis of both) redis.disconnect()
  }

  try {
    await new Promise<void>((resolve, reject) => {
      const fail = () => reject(new Error(trouble ?? explainRedis({ code: 'ETIMEDOUT' }, url)))
      const deadline = setTimeout(fail, startMs)
      for (const redis of both) {
        redis.on('ready', () => {
          if (!isReady()) return
          clearTimeout(deadline)
          resolve()
        })
        redis.on('error', (error: Error) => {
          if (!started && hopeless.test(error.message)) {
            clearTimeout(deadline)
            fail()
          }
        })
        redis.connect().catch(() => {})
      }
    })
    if (/cluster_enabled:1/.test(await commands.info('cluster'))) throw new Error(explainRedis(new Error('MOVED'), url))
  } catch (error) {
    close()
    throw error
  }
  started = true

  return {
    commands,
    subscriber,
    reconnect() {
      for (const redis of both) if (['ready', 'connect'].includes(redis.status)) redis.disconnect(true)
    },
    trouble: () => trouble,
    close,
  }
}
