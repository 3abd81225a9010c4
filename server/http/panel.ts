import type { FastifyInstance } from 'fastify'
import type { PanelDocument } from '../panel/document.ts'
import { sendUnlessKnown } from './rest/etag.ts'

/** What the panel page asks for first, beside its own address. It is made when somebody does. */
export const servePanelDocument = (
  server: FastifyInstance,
  path: string,
  describe: () => Promise<PanelDocument>,
): void => {
  let made: Promise<string> | undefined
  server.get(path, { exposeHeadRoute: true }, async (req, reply) => {
    made ??= describe().then((document) => JSON.stringify(document))
    return sendUnlessKnown(req, reply, await made)
  })
}
