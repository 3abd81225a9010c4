import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { fastify } from 'fastify'
import { expect, test } from 'vitest'
import { servePages } from '../../server/http/pages.ts'
import { startWorld } from '../harness/world.ts'

const pages = ['/', '/panel']

/** As a browser asks; `fetch` would unpack what it gets. */
const get = async (url: string, headers: Record<string, string> = {}, method = 'GET') => {
  const { request } = await import('node:http')
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }>((resolve, reject) => {
    request(url, { headers, method }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk) => chunks.push(chunk))
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }))
    })
      .on('error', reject)
      .end()
  })
}

const assetsOf = (html: string) => Array.from(html.matchAll(/(?:src|href)="([^"]+)"/g), ([, path]) => path as string)

test('the first load of each page is at most 150 kB gzipped, and comes from this server alone', async () => {
  await using world = await startWorld()
  for (const page of pages) {
    const html = String((await get(world.url + page)).body)
    expect(html).not.toMatch(/https?:|<style|\sstyle=|\son\w+=|<script>/)
    const assets = assetsOf(html)
    expect(assets.length).toBeGreaterThanOrEqual(3)
    let bytes = 0
    for (const path of [page, ...assets]) {
      const { status, headers, body } = await get(world.url + path, { 'accept-encoding': 'gzip' })
      expect([path, status, headers['content-encoding']]).toEqual([path, 200, 'gzip'])
      bytes += body.length
    }
    expect(bytes).toBeLessThan(150_000)
  }
})

test('a page is asked for each time and answered with 304 where it is known; what it loads is kept for ever', async () => {
  await using world = await startWorld()
  for (const page of pages) {
    const { headers, body } = await get(world.url + page)
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(headers['cache-control']).toBe('no-cache')
    const etag = String(headers.etag)
    expect((await get(world.url + page, { 'if-none-match': `"other", W/${etag}` })).status).toBe(304)
    expect((await get(world.url + page, { 'if-none-match': '"other"' })).status).toBe(200)
    if (page !== '/') expect((await get(`${world.url}${page}/`)).headers.location).toBe(page)

    for (const path of assetsOf(String(body))) {
      const plain = await get(world.url + path)
      expect(plain.headers['cache-control']).toBe('public, max-age=31536000, immutable')
      expect(plain.headers['content-type']).toMatch(/^(text\/(javascript|css); charset=utf-8|image\/svg\+xml)$/)
      expect(plain.headers.vary).toMatch('accept-encoding')
      const packed = await get(world.url + path, { 'accept-encoding': 'deflate, gzip;q=0.5, br;q=0' })
      expect(packed.headers['content-encoding']).toBe('gzip')
      expect(gunzipSync(packed.body).equals(plain.body)).toBe(true)
      expect(packed.headers.etag).not.toBe(plain.headers.etag)
      const head = await get(world.url + path, { 'accept-encoding': 'br' }, 'HEAD')
      expect([head.status, head.headers['content-encoding'], head.body.length]).toEqual([200, 'br', 0])
    }
  }
})

test('the policy of a page lets nothing run or load but what this server serves, and nobody frame it', async () => {
  await using world = await startWorld()
  for (const page of pages) {
    const { headers } = await get(world.url + page)
    const policy = String(headers['content-security-policy']).split('; ')
    expect(policy).toEqual([
      "default-src 'self'",
      "object-src 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ])
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['referrer-policy']).toBe('no-referrer')
  }
})

test('what is not there is not found as before: below /api, below /trpc and beside the assets', async () => {
  await using world = await startWorld()
  const answer = async (path: string) => {
    const { status, headers, body } = await get(world.url + path)
    return [status, headers['content-type'], String(body)]
  }
  expect(await answer('/api/nothing')).toEqual([404, expect.stringContaining('problem+json'), expect.any(String)])
  expect(await answer('/trpc/nothing')).toEqual([404, expect.any(String), expect.stringContaining('unknownProcedure')])
  for (const path of ['/assets/nothing.js', '/assets/', '/assets/..%2f..%2fmain.js', '/panel/nothing']) {
    expect(await answer(path)).toEqual([404, expect.stringContaining('json'), expect.stringContaining('nothing at')])
  }
})

test('a page that is not built says so and how to build it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'parley-'))
  const warnings: string[] = []
  const server = fastify()
  try {
    const log = { warn: (_: object, words: string) => void warnings.push(words) }
    servePages(server, { log, directory })
    for (const page of pages) {
      const { statusCode, body } = await server.inject(page)
      expect([statusCode, body]).toEqual([503, expect.stringContaining('npm run build:web')])
    }
    expect(warnings).toEqual(pages.map(() => expect.stringContaining('npm run build:web')))
  } finally {
    await server.close()
    await rm(directory, { recursive: true })
  }
})
