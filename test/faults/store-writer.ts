import type { Draft } from '../../server/domain/ports.ts'
import { openSqliteStore } from '../../server/store/sqlite/open.ts'

/**
 * Appends until it is killed, 50 at a time, or `limit` one after another, and says on stdout what it asked for and what
 * was acknowledged: `store-writer <directory> <round> [limit]`.
 */
const [directory = '', round = '', limit] = process.argv.slice(2)
const store = await openSqliteStore({ directory })
const say = (word: string, ...facts: unknown[]) => process.stdout.write(`${word} ${JSON.stringify(facts)}\n`)
const draft = (n: number): Draft => ({
  conversationId: `dm:ada:user${n % 7}`,
  kind: 'direct',
  members: ['ada', `user${n % 7}`],
  sender: 'ada',
  text: `text ${round}.${n}`,
  clientMessageId: `${round}.${n}`,
  sentAt: new Date(),
})

let asked = 0
const last = limit === undefined ? Number.POSITIVE_INFINITY : Number(limit)
const caller = async () => {
  while (asked < last) {
    const mine = draft(asked++)
    say('asked', mine)
    const { message } = await store.append(mine)
    say('acknowledged', message.id, message.text)
  }
}
await Promise.all(Array.from({ length: limit === undefined ? 50 : 1 }, caller))
await store.close()
