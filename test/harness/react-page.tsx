import { createRoot, hydrateRoot, type Root } from 'react-dom/client'
import { createChat, createClient } from '../../client-sdk/src/index.ts'
import type { OpenChat, UseChatOptions } from '../../client-sdk/src/react.ts'
import { BobsPage, PageOf } from './react-tree.tsx'

// What the tests of the React hooks do in a browser.

const sockets: WebSocket[] = []
globalThis.WebSocket = class extends WebSocket {
  constructor(url: string | URL) {
    super(url)
    sockets.push(this)
  }
}

const place = document.getElementById('page') as HTMLElement
let root: Root | undefined
let opened: OpenChat | undefined

const page = {
  /** All that were ever made. */
  sockets,
  render(options: UseChatOptions) {
    root ??= createRoot(place)
    root.render(<BobsPage {...options} />)
  },
  unmount() {
    root?.unmount()
    root = undefined
  },
  /** Takes over what a server has rendered. */
  hydrate(options: UseChatOptions) {
    root = hydrateRoot(place, <BobsPage {...options} />)
  },
  /** As a program that opens its chat itself, and has messages before React comes. */
  async openChat({ url, userId, token }: UseChatOptions) {
    const client = createClient({ url, token })
    const chat = createChat(client, { userId })
    opened = { client, chat }
    await new Promise<void>((resolve) => {
      const conversation = chat.conversation('ada')
      conversation.subscribe(() => conversation.getSnapshot().messages.length > 0 && resolve())
    })
  },
  hydrateOpened() {
    root = hydrateRoot(place, <PageOf chat={opened as OpenChat} />)
  },
}
export type ReactPage = typeof page

Object.assign(globalThis, { page })
