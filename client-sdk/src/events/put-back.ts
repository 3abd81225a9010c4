import type { Message } from '../../../server/contract/index.ts'

/**
 * Whether the server's store was put back to an earlier state, as from a backup: within a conversation times rise with
 * `seq`, so that an earlier number and a later time is no repeat.
 * @param last the newest message that is known of the conversation
 */
export const isPutBack = (last: { seq: number; sentAt: Date }, { seq, sentAt }: Message): boolean =>
  seq <= last.seq && sentAt > last.sentAt
