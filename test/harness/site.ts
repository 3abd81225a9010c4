import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Site extends AsyncDisposable {
  url: string
}

const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

/**
 * Serves pages for a test.
 * @param pages by path, as HTML
 * @param folders by the first part of the path, as `sdk` for `/sdk/index.js`
 */
export const startSite = async (pages: Record<string, string>, folders: Record<string, string>): Promise<Site> => {
  const server = createServer(async (req, res) => {
    const path = normalize(new URL(req.url ?? '', 'http://site').pathname)
    const [, first = '', ...rest] = path.split('/')
    const folder = folders[first]
    try {
      const body = pages[path] ?? (folder && (await readFile(join(folder, ...rest))))
      if (body === undefined) throw new Error('not here')
      res.setHeader('content-type', types[extname(path) || '.html'] ?? 'application/octet-stream')
      res.end(body)
    } catch {
      res.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The SDK as browsers get it: `npm run build:sdk` has made it. */
export const sdkFolder = fileURLToPath(new URL('../../client-sdk/dist', import.meta.url))
