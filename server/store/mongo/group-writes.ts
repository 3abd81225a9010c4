import type { Profile, Receipt } from '../../contract/index.ts'
import type { Change, Log, StoredMessage } from '../../domain/ports.ts'
import { type AccountWrite, createAccountWrites } from './account-writes.ts'
import type { Append } from './append-outcomes.ts'
import { messageChanged, profileChanged, receiptMoved } from './documents.ts'
import { wordsOf } from './errors.ts'
import { createMessageChanges, type MessageChange } from './message-changes.ts'
import { createMessageWrites } from './message-writes.ts'
import { type Advance, createReceiptWrites } from './receipt-writes.ts'
import type { Models } from './schema.ts'
import type { Versions } from './versions.ts'
import { again, type Outcome } from './writes.ts'

/** All that gets a version. */
export type Write = Append | Advance | MessageChange | AccountWrite

/** Carries out a group of writes, those of each kind side by side with the others. */
export const createWrites = (ports: { models: Models; versions: Versions; log: Log }) => {
  const appendAll = createMessageWrites(ports)
  const advanceAll = createReceiptWrites(ports)
  const changeAll = createMessageChanges(ports)
  const writeAccounts = createAccountWrites(ports)

  return async (group: Write[]): Promise<Outcome<unknown>[]> => {
    const outcomes = new Map<Write, Outcome<unknown>>()
    /** One kind that fails, which then has written nothing, does not carry the others along: they may have. */
    const carryOut = async <Kind extends Write>(
      isOfKind: (write: Write) => write is Kind,
      run: (writes: Kind[]) => Promise<Outcome<unknown>[]>,
    ): Promise<void> => {
      const writes = group.filter(isOfKind)
      if (writes.length === 0) return
      const results = await run(writes).catch((error: unknown) => {
        ports.log.warn({ reason: wordsOf(error), writes: writes.length }, 'writes failed; trying again')
        return []
      })
      for (const [i, write] of writes.entries()) outcomes.set(write, results[i] ?? again)
    }
    await Promise.all([
      carryOut((write) => write.type === 'append', appendAll),
      carryOut((write) => write.type === 'advance', advanceAll),
      carryOut((write) => write.type === 'edit' || write.type === 'delete', changeAll),
      carryOut((write) => write.type === 'createUser' || write.type === 'updateProfile', writeAccounts),
    ])
    return group.map((write) => outcomes.get(write) ?? again)
  }
}

/** What is told of a write that nobody waits for any more. */
export const changesOf = (write: Write, result: unknown): Change[] => {
  if (write.type === 'advance') return (result as Receipt[]).map(receiptMoved)
  if (write.type === 'createUser' || write.type === 'updateProfile') {
    const { userId, displayName, version } = result as Profile
    return [profileChanged({ userId, displayName, version })]
  }
  const { message } = result as { message: StoredMessage }
  if (write.type !== 'append') return [messageChanged(message)]
  return [{ kind: 'message', version: message.version, conversationId: message.conversationId, message }]
}
