import { parentPort, workerData } from 'node:worker_threads'
import { openAccountWrites } from './account-writes.ts'
import { openForWriting, settingsOf } from './connection.ts'
import { explainFile } from './files.ts'
import { openHeads } from './heads.ts'
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
  const heads = openHeads(db)
  const clock = openVersionClock(db)
  const accounts = openAccountWrites(db, clock)
  const messages = openMessageWrites(db, heads, clock)
  const log = boundLog(db, file, walBytesMax)

  const apply = (operation: Operation): Reply => {
    switch (operation[0]) {
      case 'append':
        return messages.append(operation)
      case 'advance':
        return messages.advance(operation[1])
      case 'createUser':
        return accounts.createUser(operation[1])
      case 'createSession':
        return accounts.createSession(operation[1])
      case 'extendSession':
        return accounts.extendSession(operation[1], operation[2])
      case 'deleteSession':
        return accounts.deleteSession(operation[1])
      case 'deleteExpiredSessions':
        return accounts.deleteExpiredSessions(operation[1])
      case 'setLastSeen':
        return accounts.setLastSeen(operation[1])
      case 'ping':
        // The clock is written with every commit, so that an empty one shows whether the disk takes writes.
        return null
    }
  }

  const commit = (operations: Operation[]): Reply[] => {
    try {
      db.exec('BEGIN IMMEDIATE')
      const replies = operations.map(apply)
      heads.write()
      clock.write()
      db.exec('COMMIT')
      return replies
    } catch (error) {
      heads.forget()
      // SQLite has rolled back by itself after some errors, a full disk among them.
      if (db.inTransaction) db.exec('ROLLBACK')
      throw error
    }
  }

  port.on('message', (message: ToWriter) => {
    if ('close' in message) {
      cutLog(db)
      db.close()
      port.close()
      return
    }
    try {
      say({ committed: commit(message.commit) })
    } catch (error) {
      say({ failed: explainFile(file, error) })
    }
    heads.trim()
    const walBytes = log.check()
    if (walBytes !== null) say({ walBytes })
  })
  say({ ready: settingsOf(db) })
}

try {
  open()
} catch (error) {
  say({ refusedToStart: explainFile(file, error) })
}
