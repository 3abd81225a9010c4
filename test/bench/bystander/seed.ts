import { hashToken } from '../../../server/domain/accounts.ts'
import type { Store } from '../../../server/domain/ports.ts'

const sessionMs = 3_600_000

/** Everybody has one session, whose token follows from the name: whoever attacks needs not be told it. */
export const tokenOf = (userId: string): string => userId.padEnd(43, '-')

export const addUsers = async (store: Store, userIds: string[], passwordHash = ''): Promise<void> => {
  const createdAt = new Date()
  const expiresAt = new Date(Date.now() + sessionMs)
  for (const userId of userIds) {
    await store.createUser({ userId, displayName: userId, passwordHash, createdAt })
    await store.createSession({ tokenHash: hashToken(tokenOf(userId)), userId, createdAt, expiresAt })
  }
}

export const numbered = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => name + i)

/** Each of these sends so many messages to one user. */
export const sendAll = async (
  store: Store,
  senders: string[],
  to: string,
  count: number,
  text = usual,
): Promise<void> => {
  for (let n = 0; n < count; n++) {
    const send = (sender: string) =>
      store.append({
        conversationId: `dm:${[sender, to].sort().join(':')}`,
        members: [sender, to],
        kind: 'direct',
        sender,
        text,
        clientMessageId: null,
        sentAt: new Date(),
      })
    await Promise.all(senders.map(send))
  }
}

const usual = 'a message that is about as long as messages tend to be in a chat of two people'

/** Ada is the bystander, and Bo whom she talks with. */
export const seedBystander = async (store: Store): Promise<void> => {
  await addUsers(store, ['ada', 'bo'])
  await sendAll(store, ['bo'], 'ada', 50)
}
