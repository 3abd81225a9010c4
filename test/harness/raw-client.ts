import { once } from 'node:events'
import { WebSocket } from 'ws'

export interface RawAnswer {
  id: number | null
  error?: { json: { message: string; data: { kind: string } } }
  result?: { type: string; id?: string; data?: { json: unknown } }
}

/** A WebSocket on which a test says whatever it likes. */
export const startRawClient = async (url: string, token: string | null) => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/trpc?connectionParams=1`)
  await once(socket, 'open')
  socket.send(JSON.stringify({ method: 'connectionParams', data: token === null ? null : { token } }))
  return {
    socket,
    /** Sends these frames and waits for so many answers. */
    async exchange(count: number, frames: string[]): Promise<RawAnswer[]> {
      const answers: RawAnswer[] = []
      const all = new Promise<void>((resolve, reject) => {
        socket.on('message', (data) => {
          answers.push(JSON.parse(String(data)))
          if (answers.length === count) resolve()
        })
        socket.once('close', (code, reason) => reject(new Error(`closed: ${code} ${reason}`)))
      })
      for (const frame of frames) socket.send(frame)
      await all
      return answers
    },
    async [Symbol.asyncDispose]() {
      socket.terminate()
    },
  }
}
