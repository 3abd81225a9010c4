import { directConversationId } from '../../server/contract/index.ts'
import type { MessageStore } from '../../server/domain/ports.ts'

const minuteMs = 60_000
/** Appended at once, so that many share a commit. */
const atOnce = 1_000

/** Fills a direct conversation, a message a minute up to now: `message 1.` ... `message <count>.`, of all lengths. */
export const seedConversation = async (
  store: Pick<MessageStore, 'append'>,
  [a, b]: [string, string],
  count: number,
): Promise<void> => {
  const conversationId = directConversationId(a, b)
  const from = Date.now() - count * minuteMs
  const append = (n: number) =>
    store.append({
      conversationId,
      members: [a, b],
      kind: 'direct',
      sender: n % 3 === 0 ? a : b,
      text: `message ${n}.${' and so on'.repeat((n * 7) % 23)}`,
      clientMessageId: null,
      sentAt: new Date(from + n * minuteMs),
    })
  for (let done = 0; done < count; done += atOnce) {
    const length = Math.min(atOnce, count - done)
    await Promise.all(Array.from({ length }, (_, i) => append(done + i + 1)))
  }
}
