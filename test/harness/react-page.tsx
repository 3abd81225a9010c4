import { Activity } from 'react'
import { flushSync } from 'react-dom'
import { createRoot, hydrateRoot, type Root } from 'react-dom/client'
import { createChat, createClient } from '../../client-sdk/src/index.ts'
import type { ChatHandle, OpenChat, UseChatOptions } from '../../client-sdk/src/react.ts'
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
const setHandle = (handle: ChatHandle) => {
  page.handle = handle
}

const page = {
  /** All that were ever made. */
  sockets,
  /** How often a token was asked for. */
  asked: 0,
  /** Of the last chat that was rendered. */
  handle: undefined as ChatHandle | undefined,
  render(options: UseChatOptions, mode: 'visible' | 'hidden' = 'visible') {
    root ??= createRoot(place)
    root.render(
      <Activity mode={mode}>
        <BobsPage {...options} onHandle={setHandle} />
      </Activity>,
    )
  },
  /** Ends all effects and begins them again, as fast refresh does. */
  renew(options: UseChatOptions) {
    flushSync(() => page.render(options, 'hidden'))
    flushSync(() => page.render(options))
  },
  /** With a function for the token, which is another one each time. */
  renderAsking({ token, ...options }: UseChatOptions & { token: string }) {
    const ask = () => {
      page.asked++
      return token
    }
    page.render({ ...options, token: ask })
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
