import { fileURLToPath } from 'node:url'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Log } from '../domain/ports.ts'
import { readStaticFiles, sendStaticFile } from './static-files.ts'

/** What `npm run build:web` makes of `server/web/`. */
const builtPages = fileURLToPath(new URL('../../web', import.meta.url))

/** The pages by the path that they are served at. */
const pages: Record<string, string> = { '/': 'chat/index.html', '/panel': 'panel/index.html' }

/**
 * A page loads nothing from elsewhere, runs nothing inline, writes no HTML from a script (the last two lines), and stands in
 * nobody's frame. Its WebSocket is of the same host, which `'self'` covers.
 */
export const contentSecurityPolicy = [
  "default-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const securityHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** Their names change with what they hold. */
const forEver = 'public, max-age=31536000, immutable'
const askEachTime = 'no-cache'

/** Serves the pages that were built, and what they load. */
export const servePages = (
  server: FastifyInstance,
  { log, directory = builtPages }: { log: Pick<Log, 'warn'>; directory?: string },
): void => {
  const files = readStaticFiles(directory)
  const secure = (reply: FastifyReply) => reply.headers(securityHeaders)

  for (const [path, name] of Object.entries(pages)) {
    const page = files.get(name)
    if (!page) log.warn({ path }, 'a page is not built: npm run build:web')
    server.get(path, { exposeHeadRoute: true }, async (req, reply) => {
      if (!page) return reply.code(503).send({ message: 'This page is not built yet: npm run build:web' })
      return sendStaticFile(req, secure(reply), page, askEachTime)
    })
    if (path !== '/') server.get(`${path}/`, async (_req, reply) => reply.redirect(path, 308))
  }
  for (const [name, file] of files) {
    if (!name.startsWith('assets/')) continue
    server.get(`/${name}`, { exposeHeadRoute: true }, async (req, reply) =>
      sendStaticFile(req, secure(reply), file, forEver),
    )
  }
}
