import { createTRPCClient, createWSClient, wsLink } from '@trpc/client'
import superjson from 'superjson'
import { WebSocket } from 'ws'
import type { ChatEvent, OnMessage } from '../../server/contract/index.ts'
import type { ParleyRouter } from '../../server/trpc/client-router.ts'

/** The official tRPC client, as somebody would use it who has no SDK. */
export const connectPlain = (url: string, token?: string) => {
  const socket = createWSClient({
    url: `${url.replace('http', 'ws')}/trpc`,
    WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    ...(token !== undefined && { connectionParams: { token } }),
    retryDelayMs: () => 10,
  })
  const api = createTRPCClient<ParleyRouter>({ links: [wsLink({ client: socket, transformer: superjson })] })
  return {
    api,
    /** Collects what `onMessage` gives. */
    follow(input?: Partial<OnMessage>) {
      const inbox = createInbox<ChatEvent>()
      const subscription = api.onMessage.subscribe(input ? { ack: 'server', ...input } : undefined, {
        onData: ({ data }) => inbox.add(data),
        onError: inbox.fail,
      })
      return Object.assign(inbox, { stop: () => subscription.unsubscribe() })
    },
    [Symbol.asyncDispose]: () => socket.close() ?? Promise.resolve(),
  }
}

/** What came in, and a wait for more of it. */
export const createInbox = <Item>() => {
  const items: Item[] = []
  const waiting = new Set<{ isMet: () => boolean; resolve: () => void; reject: (error: unknown) => void }>()
  let failure: unknown

  const until = (isMet: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      if (failure !== undefined) return reject(failure)
      if (isMet()) return resolve()
      waiting.add({ isMet, resolve, reject })
    })
  return {
    items,
    add(item: Item) {
      items.push(item)
      for (const wait of waiting) {
        if (!wait.isMet()) continue
        waiting.delete(wait)
        wait.resolve()
      }
    },
    fail(error: unknown) {
      failure = error
      for (const wait of waiting) wait.reject(error)
      waiting.clear()
    },
    /** The first item that fits, once it is there. */
    async first<Fitting extends Item>(fits: (item: Item) => item is Fitting): Promise<Fitting> {
      await until(() => items.some(fits))
      return items.find(fits) as Fitting
    },
    /** The first so many that fit, once they are there. */
    async some<Fitting extends Item>(count: number, fits: (item: Item) => item is Fitting): Promise<Fitting[]> {
      await until(() => items.filter(fits).length >= count)
      return items.filter(fits)
    },
    until,
  }
}

export const isMessage = (event: ChatEvent): event is Extract<ChatEvent, { type: 'message' }> =>
  event.type === 'message'
export const isReceipt = (event: ChatEvent): event is Extract<ChatEvent, { type: 'receipt' }> =>
  event.type === 'receipt'
