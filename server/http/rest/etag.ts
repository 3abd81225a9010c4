import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Whoever asks again for what she has already gets 304 and no body. Only her own cache may keep it. */
export const sendUnlessKnown = (
  req: FastifyRequest,
  reply: FastifyReply,
  body: string,
  type = 'application/json',
): FastifyReply => {
  const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  reply.header('etag', tag).header('cache-control', 'private, no-cache')
  const known = req.headers['if-none-match']?.split(',').map((text) => text.trim().replace(/^W\//, '')) ?? []
  if (known.includes(tag) || known.includes('*')) return reply.code(304).send()
  return reply.type(type).send(body)
}
