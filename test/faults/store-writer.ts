import type { Draft, MessageStore, StoredMessage } from '../../server/domain/ports.ts'
import { openSqliteStore } from '../../server/store/sqlite/open.ts'

/**
 * Writes of every kind until it is killed, 50 at a time, or `limit` one after another, and says on stdout which messages
 * it asked for and what was acknowledged, at its state then: `store-writer <directory> <round> [limit]`.
 */
const [directory = '', round = '', limit] = process.argv.slice(2)
const store = await openSqliteStore({ directory })
const say = (word: string, ...facts: unknown[]) => process.stdout.write(`${word} ${JSON.stringify(facts)}\n`)
const people = Array.from({ length: 7 }, (_, i) => `user${i}`)

const draft = (n: number): Draft => ({
  conversationId: `dm:ada:user${n % 7}`,
  kind: 'direct',
  members: ['ada', `user${n % 7}`],
  sender: 'ada',
  text: `text ${round}.${n}`,
  clientMessageId: `${round}.${n}`,
  sentAt: new Date(),
})

const edit = async ({ conversationId, seq, revision }: StoredMessage, text: string) =>
  (await store.edit({ conversationId, seq, revision, text, editedAt: new Date() })).message
const erase = async ({ conversationId, seq }: StoredMessage) =>
  (await store.delete({ conversationId, seq, deletedAt: new Date() })).message

const readAll = (conversationId: string): ReturnType<MessageStore['messages']> =>
  store.messages({ conversationId, from: 1, to: 1e6, limit: 1e6, newest: false })
/** Of earlier rounds: each of them is changed once more in this one. */
const earlier = (await Promise.all(people.map((userId) => readAll(`dm:ada:${userId}`))))
  .flat()
  .filter(({ deletedAt }) => deletedAt === null)

for (const userId of people) {
  if (await store.user(userId)) continue
  await store.createUser({ userId, displayName: userId, passwordHash: '', createdAt: new Date() })
}

/** A message, and what happens to it and around it. */
async function* life(n: number): AsyncGenerator<[kind: 'message' | 'receipt' | 'user', state: unknown]> {
  const mine = draft(n)
  say('asked', mine)
  const { message } = await store.append(mine)
  yield ['message', message]
  const userId = `user${n % 7}`
  const before = earlier[n]
  if (before) yield ['message', await (n % 5 === 0 ? erase(before) : edit(before, `earlier ${round}.${n}`))]
  if (n % 3 === 0) yield ['message', await edit(await edit(message, `edited ${round}.${n}`), `again ${round}.${n}`)]
  else if (n % 3 === 1) yield ['message', await erase(message)]
  const { conversationId, seq } = message
  const moved = await store.advance([{ conversationId, userId, deliveredSeq: seq, readSeq: seq - 1 }])
  for (const receipt of moved) yield ['receipt', receipt]
  if (n % 4 === 0) yield ['user', await store.updateProfile(userId, { displayName: `name ${round}.${n}` })]
}

let asked = 0
let acknowledged = 0
const last = limit === undefined ? Number.POSITIVE_INFINITY : Number(limit)
const caller = async () => {
  while (acknowledged < last) {
    for await (const change of life(asked++)) {
      say('acknowledged', ...change)
      if (++acknowledged >= last) break
    }
  }
}
await Promise.all(Array.from({ length: limit === undefined ? 50 : 1 }, caller))
await store.close()
