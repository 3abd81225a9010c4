import { pipeline, type Readable, Transform } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { ChatError } from '../contract/index.ts'

/** Bytes that are not UTF-8 would be read as other characters: they are refused, and never replaced in silence. */
export const refuseIllFormed = (server: FastifyInstance): void => {
  server.addHook('onRequest', async ({ raw }) => {
    if (!isWellFormedUrl(raw.url ?? '')) throw malformed('The address is not UTF-8, percent-encoded.')
  })
  server.addHook('preParsing', async ({ method, headers }, _reply, body) => {
    const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
    return hasBody && method !== 'GET' && method !== 'HEAD' ? checked(body) : body
  })
}

const isWellFormedUrl = (url: string): boolean => {
  try {
    return /^[\x21-\x7e]*$/.test(url) && decodeURIComponent(url) !== ''
  } catch {
    return false
  }
}

/** The same bytes; it fails where they are not UTF-8. */
const checked = (body: Readable): Readable => {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const check = (done: (error?: Error | null, chunk?: Buffer) => void, chunk?: Buffer) => {
    try {
      decoder.decode(chunk, { stream: chunk !== undefined })
    } catch {
      return done(malformed('The body is not UTF-8.'))
    }
    done(null, chunk)
  }
  const checks = new Transform({
    transform: (chunk: Buffer, _encoding, done) => check(done, chunk),
    flush: (done) => check(done),
  })
  // Whoever reads it is told of an error.
  return pipeline(body, checks, () => {})
}

const malformed = (message: string): Error => new ChatError('malformed', { message })
