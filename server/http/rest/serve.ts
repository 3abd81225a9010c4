import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../../domain/ports.ts'
import type { CreateHttpContext } from '../../trpc/context.ts'
import { appRouter } from '../../trpc/router.ts'
import type { BeginCalls } from '../calls-in-flight.ts'
import { httpError } from '../explain.ts'
import { serveDocs } from './docs.ts'
import { sendUnlessKnown } from './etag.ts'
import { refuseAsProblem } from './refuse.ts'
import { type Links, type Route, routes } from './routes.ts'

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** The calls that answer once, for programs that speak neither tRPC nor TypeScript; with their document and its page. */
export const serveRest = (
  server: FastifyInstance,
  { createContext, beginCalls, log }: { createContext: CreateHttpContext; beginCalls: BeginCalls; log: Log },
): void => {
  const call = async (
    route: Route,
    req: FastifyRequest,
    reply: FastifyReply,
  ): Promise<{ answer: unknown; links: Links }> => {
    const authorization = route.isPublic ? undefined : req.headers.authorization
    const ctx = await createContext({ authorization, stream: null, ...beginCalls(req.raw, reply.raw, 1) })
    const query = route.query ? route.query.parse(req.query) : refuseQuery(req.query)
    const given = { ...(req.params as object), ...query }
    const input = route.body ? bodyOf(route, req) : (route.input?.(given) ?? given)
    // Validation, session and rules are the router's own; nothing of them is repeated here.
    const caller = appRouter.createCaller(ctx) as unknown as Record<string, (input: unknown) => Promise<unknown>>
    const answer = await caller[route.procedure]?.(input)
    return { answer, links: route.links?.(answer, given) ?? {} }
  }

  server.register(
    async (api) => {
      takeEmptyBodies(api)
      api.setErrorHandler((thrown, req, reply) => refuseAsProblem(log, thrown, req, reply))
      api.setNotFoundHandler((req) => {
        throw httpError(404, `There is nothing at ${req.method} ${pathOf(req)}; /api/docs lists what there is.`)
      })

      for (const route of routes) {
        api.route({
          method: route.method,
          url: relativeUrl(route.path),
          exposeHeadRoute: route.method === 'GET',
          handler: async (req, reply) => {
            const { answer, links } = await call(route, req, reply)
            if (Object.keys(links).length > 0) reply.header('link', linkHeader(links))
            if (route.method === 'GET') return sendUnlessKnown(req, reply, JSON.stringify(answer))
            reply.code(route.status).header('cache-control', 'no-store')
            return route.status === 204 ? reply.send() : reply.type('application/json').send(JSON.stringify(answer))
          },
        })
      }
      const pages = serveDocs(api)
      const served = [...routes, ...pages.map((path) => ({ path, method: 'GET' }))]
      for (const path of new Set(served.map(({ path }) => path))) {
        const taken = served.filter((route) => route.path === path).map(({ method }) => method)
        refuseOtherMethods(api, path, taken)
      }
    },
    { prefix: '/api' },
  )
}

/** The body, and what the path says; a body with a name of the path among its own is refused before one hides the other. */
const bodyOf = ({ body, params }: Route, req: FastifyRequest): unknown =>
  body && params ? { ...(body.parse(req.body) as object), ...(req.params as object) } : req.body

const relativeUrl = (path: string): string => path.replace(/^\/api/, '').replace(/\{(\w+)\}/g, ':$1')

const pathOf = (req: FastifyRequest): string => req.url.split('?')[0] ?? ''

/** Many programs name JSON as the type of every request, also of those that have no body. */
const takeEmptyBodies = (api: FastifyInstance): void => {
  const parse = api.getDefaultJsonParser('error', 'error')
  api.removeContentTypeParser('application/json')
  api.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (req, body, done) => {
    if (body.trim() === '') done(null, undefined)
    else parse(req, body, done)
  })
}

/** Unknown parameters are refused everywhere, also where there are none. */
const refuseQuery = (query: unknown): object => {
  const [name] = Object.keys(query as object)
  if (name !== undefined) throw httpError(400, `There is no parameter "${name}" here.`)
  return {}
}

const refuseOtherMethods = (api: FastifyInstance, path: string, taken: string[]): void => {
  const allow = [...taken, ...(taken.includes('GET') ? ['HEAD'] : [])].join(', ')
  api.route({
    method: methods.filter((method) => !taken.includes(method)),
    url: relativeUrl(path),
    // Before the body is read: whatever it is, it is not wanted.
    onRequest: async (req, reply) => {
      reply.header('allow', allow)
      throw httpError(405, `${pathOf(req)} takes ${allow}, not ${req.method}.`)
    },
    handler: () => undefined,
  })
}

const linkHeader = (links: Links): string =>
  Object.entries(links)
    .map(([rel, { path, query }]) => {
      const text = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      return `<${path}?${text.join('&')}>; rel="${rel}"`
    })
    .join(', ')
