import type { ChatEvent, OnMessage, UserId } from '../contract/index.ts'
import { createLoopShare } from '../fairness/fair-loop.ts'
import { forgetExpired, login, logout, me, register, resumeSession, updateProfile } from './accounts.ts'
import { conversations, openConversation } from './conversations.ts'
import { followEndedSessions } from './ended-sessions.ts'
import { createFairReads } from './fair-reads.ts'
import { createSharedEvents } from './feed/events.ts'
import { follow } from './feed/feed.ts'
import { createLagChecks } from './feed/lag-check.ts'
import { followAll } from './follower.ts'
import { publishLateCommits } from './late-commits.ts'
import { deleteMessage, editMessage, history, messageVersions, sendMessage } from './messages.ts'
import { inVersionOrder } from './ordered-bus.ts'
import type { Ports } from './ports.ts'
import { followStatus, onlineUsers, rememberLastSeen } from './presence.ts'
import { createDeliveryMarks, markDelivered, markRead } from './receipts.ts'
import { watchSession } from './session-watch.ts'

/** All the rules, on these ports: what callers of any kind can do. */
export const createChat = (given: Ports) => {
  const ports = { ...given, bus: inVersionOrder(given.bus), readsOf: createFairReads(given.store) }
  const open = openConversation(ports)
  publishLateCommits(ports)
  const deliveries = createDeliveryMarks(ports)
  const lagChecks = createLagChecks(ports)
  const feedPorts = { ...ports, deliveries, lagChecks, eventOf: createSharedEvents(), loopShare: createLoopShare() }
  const stopRemembering = rememberLastSeen(ports)
  const stopForgetting = forgetExpired(ports)
  const endedSessions = followEndedSessions(ports)

  return {
    register: register(ports),
    login: login(ports),
    logout: logout(ports),
    me: me(ports),
    updateProfile: updateProfile(ports),
    resumeSession: resumeSession(ports),
    watchSession: watchSession(ports, endedSessions),
    sendMessage: sendMessage(ports, open),
    editMessage: editMessage(ports, open),
    deleteMessage: deleteMessage(ports, open),
    messageVersions: messageVersions(ports, open),
    history: history(ports, open),
    conversations: conversations(ports),
    markRead: markRead(ports, open),
    markDelivered: markDelivered(ports, open),
    follow: <Item>(
      caller: UserId,
      input: OnMessage,
      signal: AbortSignal,
      asItem: (cursor: string, event: ChatEvent) => Item,
    ) => {
      ports.rates.takeNow(ports.rules.call, caller)
      return follow(feedPorts, caller, input, signal, asItem)
    },
    followAll: followAll(ports),
    onlineUsers: onlineUsers(ports),
    followStatus: followStatus(ports),
    connect: ports.presence.connect,
    /** Stores what is still gathered. The ports stay open: who opened them closes them. */
    async [Symbol.asyncDispose]() {
      lagChecks[Symbol.dispose]()
      stopRemembering()
      stopForgetting()
      endedSessions[Symbol.dispose]()
      await deliveries.flush()
      const at = new Date(ports.clock.now())
      await ports.store.setLastSeen(ports.presence.here().map((userId) => ({ userId, at })))
    },
  }
}

export type Chat = ReturnType<typeof createChat>
