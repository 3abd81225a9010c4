import type { Chat, ChatClient, View } from '../public.ts'

/** A client, and the chat on it. */
export interface OpenChat {
  readonly client: ChatClient
  readonly chat: Chat
}

/** The chat of one user in a tree of components. It is open for as long as something holds it. */
export interface ChatHandle {
  readonly userId: string
  /** Null before anything holds it: in a first render, and always on a server. */
  current(): OpenChat | null
  /** Opens what is not open. For event handlers and effects: a render must not connect. */
  open(): OpenChat
  /** Keeps it open. @returns a function that lets go of it: it closes when nobody has taken hold of it again at once */
  hold(): () => void
}

/** @param make opens a client and a chat; called anew after they were closed */
export const createChatHandle = (userId: string, make: () => OpenChat): ChatHandle => {
  let opened: OpenChat | null = null
  let holders = 0

  const closeUnlessHeld = () => {
    if (holders > 0 || !opened) return
    void close(opened)
    opened = null
  }
  // Not at once: StrictMode and fast refresh end all effects of a tree, and begin them again in the same turn.
  const closeSoon = () => void setTimeout(closeUnlessHeld)
  const open = (): OpenChat => {
    // A handler may come behind the end of its component: what it opens is closed again.
    if (holders === 0) closeSoon()
    opened ??= make()
    return opened
  }
  return {
    userId,
    current: () => opened,
    open,
    hold() {
      open()
      holders++
      return () => {
        holders--
        if (holders === 0) closeSoon()
      }
    },
  }
}

/** A chat that somebody else opened, and closes. */
export const handleOf = (opened: OpenChat): ChatHandle => ({
  userId: opened.chat.userId,
  current: () => opened,
  open: () => opened,
  hold: () => () => {},
})

/** What the outbox holds is written before the client ends. */
const close = async ({ client, chat }: OpenChat) => {
  try {
    await chat.close()
  } finally {
    client.close()
  }
}

/**
 * A view of a chat that is opened by who subscribes.
 * @param initial shown before; it does not change, so that what a server renders is what a page begins with
 */
export const viewIn = <Value>(handle: ChatHandle, of: (opened: OpenChat) => View<Value>, initial: Value) => ({
  initial,
  getSnapshot(): Value {
    const opened = handle.current()
    return opened ? of(opened).getSnapshot() : initial
  },
  subscribe(listener: () => void): () => void {
    const letGo = handle.hold()
    const unsubscribe = of(handle.open()).subscribe(listener)
    return () => {
      unsubscribe()
      letGo()
    }
  },
})
