import { Redis } from 'ioredis'
import type { PublishedChange } from '../../../server/domain/ports.ts'

/**
 * One process of the benchmark: `publisher` publishes messages as fast as Redis takes them, 64 in a turn of the event
 * loop; `listener` has all of their recipients, `bystander` has as many others. It prints what it counted and its
 * processor time.
 */
const [way, role, url, seconds] = process.argv.slice(2) as ['user' | 'node', string, string, string]
const redis = new Redis(url)
const people = 5_000
const batch = 64
const channel = 'bench'
const nameOf = (i: number) => `user${i % people}`
const message = (i: number): { userIds: string[]; event: PublishedChange } => {
  const [from, to] = [nameOf(i), nameOf(i + 1)]
  const conversationId = `dm:${from}:${to}`
  return {
    userIds: [from, to],
    event: {
      kind: 'message',
      version: i,
      conversationId,
      message: {
        id: `${conversationId}:${i}`,
        conversationId,
        seq: i,
        version: i,
        sender: from,
        text: 'x'.repeat(120),
        revision: 1,
        editedAt: null,
        deletedAt: null,
        sentAt: new Date(),
        clientMessageId: 'cm-0123456789abcdef',
        delivered: false,
        read: false,
      },
    },
  }
}

let count = 0

const publish = async () => {
  const until = Date.now() + Number(seconds) * 1_000
  for (let i = 0; Date.now() < until; i += batch) {
    const turn = Array.from({ length: batch }, (_, n) => message(i + n))
    if (way === 'node') {
      await redis.publish(channel, turn.map(({ userIds, event }) => `${userIds}\t${JSON.stringify(event)}`).join('\n'))
    } else {
      await Promise.all(
        turn.flatMap(({ userIds, event }) => {
          const text = JSON.stringify(event)
          return userIds.map((userId) => redis.publish(`${channel} ${userId}`, text))
        }),
      )
    }
    count += batch
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const listen = async () => {
  const here = new Set(Array.from({ length: people }, (_, i) => (role === 'listener' ? nameOf(i) : `other${i}`)))
  const hear = (text: string) => {
    JSON.parse(text)
    count++
  }
  if (way === 'user') {
    await redis.subscribe(...Array.from(here, (userId) => `${channel} ${userId}`))
    redis.on('message', (_channel, text) => hear(text))
  } else {
    await redis.subscribe(channel)
    redis.on('message', (_channel, text) => {
      for (const line of text.split('\n')) {
        const end = line.indexOf('\t')
        if (
          line
            .slice(0, end)
            .split(',')
            .some((userId) => here.has(userId))
        )
          hear(line.slice(end + 1))
      }
    })
  }
  process.send?.('ready')
  await new Promise((resolve) => process.once('message', resolve))
}

const before = process.cpuUsage()
await (role === 'publisher' ? publish() : listen())
const { user, system } = process.cpuUsage(before)
process.send?.({ role, count, cpuUs: user + system }, () => process.exit())
