import type { ChatEvent, OnMessage, Username } from '../contract/index.ts'
import { forgetExpiredSessions, login, logout, me, register, resumeSession } from './accounts.ts'
import { conversations, openConversation } from './conversations.ts'
import { followEndedSessions } from './ended-sessions.ts'
import { follow } from './feed.ts'
import { readInTurns } from './feed-store.ts'
import { tellWhatIsLate } from './late-changes.ts'
import { history, sendMessage } from './messages.ts'
import { inVersionOrder } from './ordered-bus.ts'
import type { Ports } from './ports.ts'
import { followStatus, onlineUsers, rememberLastSeen } from './presence.ts'
import { createDeliveryMarks, markDelivered, markRead } from './receipts.ts'
import { watchSession } from './session-watch.ts'
import { createStaleFeeds } from './stale-feeds.ts'

/** All the rules, on these ports: what callers of any kind can do. */
export const createChat = (given: Ports) => {
  const ports = { ...given, bus: inVersionOrder(given.bus) }
  const open = openConversation(ports)
  tellWhatIsLate(ports, open)
  const deliveries = createDeliveryMarks(ports, open)
  const staleFeeds = createStaleFeeds(ports)
  const feedPorts = { store: readInTurns(ports.store), bus: ports.bus }
  const stopRemembering = rememberLastSeen(ports)
  const stopForgetting = forgetExpiredSessions(ports)
  const endedSessions = followEndedSessions(ports)

  return {
    register: register(ports),
    login: login(ports),
    logout: logout(ports),
    me: me(ports),
    resumeSession: resumeSession(ports),
    watchSession: watchSession(ports, endedSessions),
    sendMessage: sendMessage(ports, open),
    history: history(ports, open),
    conversations: conversations(ports),
    markRead: markRead(ports, open),
    markDelivered: markDelivered(ports, open),
    follow: <Item>(
      caller: Username,
      input: OnMessage,
      signal: AbortSignal,
      asItem: (cursor: string, event: ChatEvent) => Item,
    ) => {
      ports.rates.takeNow(ports.rules.call, caller)
      return follow(feedPorts, { deliveries, staleFeeds }, caller, input, signal, asItem)
    },
    onlineUsers: onlineUsers(ports),
    followStatus: followStatus(ports),
    connect: ports.presence.connect,
    /** Stores what is still gathered. The ports stay open: who opened them closes them. */
    async [Symbol.asyncDispose]() {
      staleFeeds[Symbol.dispose]()
      stopRemembering()
      stopForgetting()
      endedSessions[Symbol.dispose]()
      await deliveries.flush()
      const at = new Date(ports.clock.now())
      await ports.store.setLastSeen(ports.presence.here().map((username) => ({ username, at })))
    },
  }
}

export type Chat = ReturnType<typeof createChat>
