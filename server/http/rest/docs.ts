import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { renderDocs } from './docs-page.ts'
import { docsStyle } from './docs-style.ts'
import { sendUnlessKnown } from './etag.ts'
import { createOpenApiDocument } from './openapi.ts'

/** The page loads nothing from elsewhere, runs nothing inline, and stands in nobody's frame. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** What the compiler made of `docs-script.ts`; its map is not served. */
const readScript = () =>
  readFileSync(new URL('./docs-script.js', import.meta.url), 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '')

/** The document, and a page made of it. All is made once, when the server starts. @returns the paths */
export const serveDocs = (api: FastifyInstance): string[] => {
  const document = createOpenApiDocument()
  const files: [path: string, type: string, body: string][] = [
    ['/openapi.json', 'application/json', JSON.stringify(document, null, 2)],
    ['/docs', 'text/html; charset=utf-8', renderDocs(document)],
    ['/docs/style.css', 'text/css; charset=utf-8', docsStyle],
    ['/docs/script.js', 'text/javascript; charset=utf-8', readScript()],
  ]
  for (const [path, type, body] of files) {
    api.get(path, { exposeHeadRoute: true }, async (req, reply) => {
      reply.header('content-security-policy', contentSecurityPolicy).header('x-content-type-options', 'nosniff')
      return sendUnlessKnown(req, reply, body, type)
    })
  }
  return files.map(([path]) => `/api${path}`)
}
