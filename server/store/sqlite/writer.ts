import { parentPort, workerData } from 'node:worker_threads'
import { openAccountWrites } from './account-writes.ts'
import { openForWriting, settingsOf } from './connection.ts'
import { openConversationCache } from './conversation-cache.ts'
import { explainFile } from './files.ts'
import { openKnownNetworkWrites } from './known-network-writes.ts'
import { openMemberWrites } from './member-writes.ts'
import { openMessageWrites } from './message-writes.ts'
import { migrate } from './migrations.ts'
import type { FromWriter, Operation, Reply, ToWriter } from './operations.ts'
import { openVersionClock } from './version-clock.ts'
import { boundLog, cutLog } from './wal.ts'

/** The worker thread that owns the database: all that waits in a message from the main thread is one transaction. */
export interface WriterData {
  file: string
  walBytesMax: number
}

const port = parentPort!
const { file, walBytesMax } = workerData as WriterData
const say = (message: FromWriter) => port.postMessage(message)

const open = () => {
  const db = openForWriting(file)
  migrate(db)
  const conversations = openConversationCache(db)
  const clock = openVersionClock(db)
  const accounts = openAccountWrites(db, clock)
  const networks = openKnownNetworkWrites(db)
  const messages = openMessageWrites(db, conversations, clock)
  const members = openMemberWrites(db, conversations, clock)
  const log = boundLog(db, file, walBytesMax)

  const apply = (operation: Operation): Reply => {
    switch (operation[0]) {
      case 'append':
        return messages.append(operation)
      case 'edit':
        return messages.edit(operation)
      case 'delete':
        log.eraseSoon()
        return messages.delete(operation)
      case 'advance':
        return members.advance(operation[1])
      case 'addMember':
        return members.addMember(operation[1], operation[2], operation[3])
      case 'removeMember':
        return members.removeMember(operation[1], operation[2])
      case 'createUser':
        return accounts.createUser(operation[1])
      case 'updateProfile':
        return accounts.updateProfile(operation[1], operation[2])
      case 'createSession':
        return accounts.createSession(operation[1])
      case 'extendSession':
        return accounts.extendSession(operation[1], operation[2])
      case 'deleteSession':
        return accounts.deleteSession(operation[1])
      case 'deleteExpiredSessions':
        return accounts.deleteExpiredSessions(operation[1])
      case 'rememberNetwork':
        return networks.rememberNetwork(operation[1], operation[2])
      case 'deleteNetworksSeenBefore':
        return networks.deleteNetworksSeenBefore(operation[1])
      case 'setLastSeen':
        return accounts.setLastSeen(operation[1])
      case 'ping':
        // The clock is written with every commit, so that an empty one shows whether the disk takes writes.
        return null
    }
  }

  const commit = (operations: Operation[], told: number): Reply[] => {
    try {
      db.exec('BEGIN IMMEDIATE')
      clock.begin(told)
      const replies = operations.map(apply)
      conversations.write()
      clock.write()
      db.exec('COMMIT')
      return replies
    } catch (error) {
      conversations.forget()
      // SQLite has rolled back by itself after some errors, a full disk among them.
      if (db.inTransaction) db.exec('ROLLBACK')
      throw error
    }
  }

  port.on('message', (message: ToWriter) => {
    if ('close' in message) {
      log.close()
      cutLog(db)
      db.close()
      port.close()
      return
    }
    try {
      say({ committed: commit(message.commit, message.told), version: clock.current() })
    } catch (error) {
      say({ failed: explainFile(file, error) })
    }
    conversations.trim()
    const walBytes = log.check()
    if (walBytes !== null) say({ walBytes })
  })
  say({ ready: settingsOf(db), version: clock.current() })
}

try {
  open()
} catch (error) {
  say({ refusedToStart: explainFile(file, error) })
}
