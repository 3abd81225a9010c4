import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import Database from 'libsql'
import { type Socket, Server as SocketIoServer } from 'socket.io'

/**
 * What is compared with: a bare relay on Socket.IO that keeps nothing, or, given a directory, one that stores each
 * message with an insert of its own, synced as Parley's are.
 */
const directory = process.argv[2]
const db = directory ? new Database(join(directory, 'messages.db')) : null
db?.exec('PRAGMA journal_mode = WAL')
db?.exec('PRAGMA synchronous = FULL')
db?.exec('CREATE TABLE message (id INTEGER PRIMARY KEY, sender TEXT, recipient TEXT, text TEXT, sent_at INTEGER)')
const insert = db?.prepare('INSERT INTO message (sender, recipient, text, sent_at) VALUES (?, ?, ?, ?)')

const http = createServer()
const io = new SocketIoServer(http, { transports: ['websocket'], perMessageDeflate: false })
const sockets = new Map<string, Socket>()
let id = 0

io.on('connection', (socket) => {
  let name = ''
  socket.on('register', (userId: string, done: () => void) => {
    name = userId
    sockets.set(userId, socket)
    done()
  })
  socket.on('message', ({ to, text }: { to: string; text: string }, done: (message: object) => void) => {
    const message = { id: ++id, sender: name, to, text, sentAt: new Date() }
    insert?.run(name, to, text, message.sentAt.getTime())
    sockets.get(to)?.emit('message', message)
    done(message)
  })
})

http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`parley listening on http://127.0.0.1:${(http.address() as AddressInfo).port}\n`)
})
