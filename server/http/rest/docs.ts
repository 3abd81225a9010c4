import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { createStaticFile, type StaticFile, sendStaticFile } from '../static-files.ts'
import { renderDocs } from './docs-page.ts'
import { docsStyle } from './docs-style.ts'
import { createOpenApiDocument } from './openapi.ts'

/** The page loads nothing from elsewhere, runs nothing inline, and stands in nobody's frame. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** What the compiler made of `docs-script.ts`; its map is not served. */
const readScript = () =>
  readFileSync(new URL('./docs-script.js', import.meta.url), 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '')

/** Made once, when somebody asks: a server that is not asked starts sooner. */
const lazily = <Made>(make: () => Made): (() => Made) => {
  let made: Made | undefined
  return () => {
    made ??= make()
    return made
  }
}

const document = lazily(createOpenApiDocument)
const files: Record<string, () => StaticFile> = {
  '/openapi.json': lazily(() => createStaticFile('application/json', JSON.stringify(document(), null, 2))),
  '/docs': lazily(() => createStaticFile('text/html; charset=utf-8', renderDocs(document()))),
  '/docs/style.css': lazily(() => createStaticFile('text/css; charset=utf-8', docsStyle)),
  '/docs/script.js': lazily(() => createStaticFile('text/javascript; charset=utf-8', readScript())),
}

/** The document, and a page made of it. @returns the paths */
export const serveDocs = (api: FastifyInstance): string[] => {
  for (const [path, file] of Object.entries(files)) {
    api.get(path, { exposeHeadRoute: true }, async (req, reply) => {
      reply.header('content-security-policy', contentSecurityPolicy)
      return sendStaticFile(req, reply, file(), 'private, no-cache')
    })
  }
  return Object.keys(files).map((path) => `/api${path}`)
}
