import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'

type Encoding = 'br' | 'gzip' | 'identity'

export interface StaticFile {
  type: string
  /** Of what the file holds; each encoding adds its own ending. */
  hash: string
  bodies: Partial<Record<Encoding, Buffer>>
}

/** By its path below the folder, with `/`. */
export type StaticFiles = Map<string, StaticFile>

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
}

/** The build writes a file's compressed forms beside it. In this order they are preferred. */
const endings: [Encoding, string][] = [
  ['br', '.br'],
  ['gzip', '.gz'],
]

/**
 * All files of a folder, kept in memory: they are few, all known, and no request can name another one.
 * @throws Error for a file of a type that is not in the table
 */
export const readStaticFiles = (directory: string): StaticFiles => {
  const files: StaticFiles = new Map()
  if (!existsSync(directory)) return files
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || endings.some(([, ending]) => entry.name.endsWith(ending))) continue
    const file = join(entry.parentPath, entry.name)
    const type = types[extname(entry.name)]
    if (type === undefined) throw new Error(`${file} has no type that is known here`)
    const body = readFileSync(file)
    const bodies: StaticFile['bodies'] = { identity: body }
    for (const [encoding, ending] of endings) {
      if (existsSync(file + ending)) bodies[encoding] = readFileSync(file + ending)
    }
    files.set(relative(directory, file).split(sep).join('/'), { type, hash: hashOf(body), bodies })
  }
  return files
}

/** Of a text that is made here, and does not change. */
export const createStaticFile = (type: string, text: string): StaticFile => {
  const body = Buffer.from(text)
  return { type, hash: hashOf(body), bodies: { gzip: gzipSync(body), identity: body } }
}

const hashOf = (body: Buffer): string => createHash('sha256').update(body).digest('base64url').slice(0, 22)

/** Sends the file in the best form that the client takes, or 304 where the client has it. */
export const sendStaticFile = (
  req: FastifyRequest,
  reply: FastifyReply,
  { type, hash, bodies }: StaticFile,
  cacheControl: string,
): FastifyReply => {
  const [encoding] = endings.find(([name]) => bodies[name] && accepts(req.headers['accept-encoding'], name)) ?? []
  const tag = `"${hash}${encoding ? `-${encoding}` : ''}"`
  reply.header('etag', tag).header('cache-control', cacheControl).header('vary', 'accept-encoding')
  const known = req.headers['if-none-match']?.split(',').map((text) => text.trim().replace(/^W\//, '')) ?? []
  if (known.includes(tag) || known.includes('*')) return reply.code(304).send()
  if (encoding) reply.header('content-encoding', encoding)
  return reply.type(type).send(bodies[encoding ?? 'identity'])
}

/** `gzip;q=0` says no. */
const accepts = (header: string | string[] | undefined, encoding: Encoding): boolean =>
  String(header ?? '')
    .split(',')
    .some((part) => {
      const [name, ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
      return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
    })
