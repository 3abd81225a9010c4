import { type TrackedEnvelope, tracked } from '@trpc/server'
import {
  type ChatEvent,
  Conversations,
  History,
  Login,
  MarkDelivered,
  MarkRead,
  OnlineUsers,
  OnMessage,
  OnStatus,
  Register,
  SendMessage,
} from '../contract/index.ts'
import { open, router, signedIn } from './procedures.ts'

export const appRouter = router({
  register: open
    .meta({ description: 'Opens an account and a session; signs a WebSocket in.' })
    .input(Register)
    .mutation(async ({ ctx, input }) => {
      const opened = await ctx.chat.register(input, ctx.address)
      ctx.signIn(opened)
      return opened
    }),

  login: open
    .meta({ description: 'Opens a session; signs a WebSocket in.' })
    .input(Login)
    .mutation(async ({ ctx, input }) => {
      const opened = await ctx.chat.login(input, ctx.address)
      ctx.signIn(opened)
      return opened
    }),

  logout: signedIn
    .meta({ description: 'Ends the session of this call; its connections are closed with code 4401.' })
    .mutation(({ ctx }) => ctx.chat.logout(ctx.caller)),

  me: signedIn.meta({ description: 'Who is calling.' }).query(({ ctx }) => ctx.chat.me(ctx.caller.username)),

  sendMessage: signedIn
    .meta({ description: 'Sends a text to a user or a conversation. When it returns, the message is on disk.' })
    .input(SendMessage)
    .mutation(({ ctx, input }) => ctx.chat.sendMessage(ctx.caller.username, input)),

  markRead: signedIn
    .meta({ description: 'Marks everything up to and including this message as read.' })
    .input(MarkRead)
    .mutation(({ ctx, input }) => ctx.chat.markRead(ctx.caller.username, input)),

  markDelivered: signedIn
    .meta({ description: 'Says that the messages up to these have arrived, for subscriptions with ack: client.' })
    .input(MarkDelivered)
    .mutation(({ ctx, input }) => ctx.chat.markDelivered(ctx.caller.username, input)),

  history: signedIn
    .meta({ description: 'One page of a conversation, oldest message first.' })
    .input(History)
    .query(({ ctx, input }) => ctx.chat.history(ctx.caller.username, input)),

  conversations: signedIn
    .meta({ description: 'My conversations, the one with the newest message first.' })
    .input(Conversations)
    .query(({ ctx, input }) => ctx.chat.conversations(ctx.caller.username, input)),

  onlineUsers: signedIn
    .meta({ description: 'Who is online, since when.' })
    .input(OnlineUsers)
    .query(({ ctx, input }) => ctx.chat.onlineUsers(input)),

  onMessage: signedIn
    .meta({ description: 'All that concerns me, from where I was: messages and receipts.' })
    .input(OnMessage)
    .subscription(async function* ({ ctx, input, signal }): AsyncGenerator<TrackedEnvelope<ChatEvent>, void, unknown> {
      const events = ctx.chat.follow(ctx.caller.username, input, signal ?? neverAborted)
      for await (const { cursor, event } of events) yield tracked(cursor, event)
    }),

  onStatus: signedIn
    .meta({ description: 'Who is online, then who comes and goes.' })
    .input(OnStatus)
    .subscription(({ ctx, input, signal }) => ctx.chat.followStatus(input, signal ?? neverAborted)),
})

/** Subscriptions always come with a signal; only a direct call may lack it. */
const neverAborted = new AbortController().signal

export type AppRouter = typeof appRouter
