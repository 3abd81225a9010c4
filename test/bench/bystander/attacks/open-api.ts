import { setMaxListeners } from 'node:events'
import { Agent, get } from 'node:http'
import type { Attack, Attacker } from '../attack.ts'

const connections = 20

/** @returns bytes of one answer, or 0 where there was none */
const read = ({ url, address, signal }: Attacker, agent: Agent): Promise<number> =>
  new Promise((resolve) => {
    const request = get(new URL('/api/openapi.json', url), { agent, localAddress: address, signal }, (answer) => {
      let bytes = 0
      answer.on('data', (data: Buffer) => {
        bytes += data.length
      })
      answer.on('error', () => {})
      answer.on('close', () => resolve(bytes))
    })
    request.on('error', () => resolve(0))
  })

/** The largest of what everybody may read, one after the other on each connection. */
export const openApi: Attack = {
  async run(attacker) {
    const agent = new Agent({ keepAlive: true, maxSockets: connections })
    setMaxListeners(0, attacker.signal)
    let documents = 0
    const readOn = async () => {
      while (!attacker.signal.aborted) {
        const bytes = await read(attacker, agent)
        if (bytes > 0) documents++
        else if (!attacker.signal.aborted) attacker.traffic.refused++
        attacker.traffic.read += bytes
      }
    }
    await Promise.all(Array.from({ length: connections }, readOn))
    agent.destroy()
    return `${documents} documents`
  },
}
