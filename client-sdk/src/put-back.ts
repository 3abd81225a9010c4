import type { Message } from '../../server/contract/index.ts'

/**
 * Whether the server's store was put back to an earlier state, as from a backup: within a conversation versions rise with
 * `seq`, so that an earlier number and a later version is no repeat.
 * @param last the newest message that is known of the conversation
 */
export const isPutBack = (last: { seq: number; version: number }, { seq, version }: Message): boolean =>
  seq <= last.seq && version > last.version
