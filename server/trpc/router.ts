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
import { callerOf, procedure, router } from './procedures.ts'

export const appRouter = router({
  register: procedure
    .meta({ description: 'Opens an account and a session; signs a WebSocket in.' })
    .input(Register)
    .mutation(async ({ ctx, input }) => {
      const opened = await ctx.chat.register(input, ctx.address)
      if (ctx.caller === null) ctx.signIn(opened)
      return opened
    }),

  login: procedure
    .meta({ description: 'Opens a session; signs a WebSocket in.' })
    .input(Login)
    .mutation(async ({ ctx, input }) => {
      const opened = await ctx.chat.login(input, ctx.address)
      ctx.signIn(opened)
      return opened
    }),

  logout: procedure
    .meta({ description: 'Ends the session of this call; its connections are closed with code 4401.' })
    .mutation(({ ctx }) => ctx.chat.logout(callerOf(ctx))),

  me: procedure.meta({ description: 'Who is calling.' }).query(({ ctx }) => ctx.chat.me(callerOf(ctx).username)),

  sendMessage: procedure
    .meta({ description: 'Sends a text to a user or a conversation. When it returns, the message is on disk.' })
    .input(SendMessage)
    .mutation(({ ctx, input }) => ctx.chat.sendMessage(callerOf(ctx).username, input)),

  markRead: procedure
    .meta({ description: 'Marks everything up to and including this message as read.' })
    .input(MarkRead)
    .mutation(({ ctx, input }) => ctx.chat.markRead(callerOf(ctx).username, input)),

  markDelivered: procedure
    .meta({ description: 'Says that the messages up to these have arrived, for subscriptions with ack: client.' })
    .input(MarkDelivered)
    .mutation(({ ctx, input }) => ctx.chat.markDelivered(callerOf(ctx).username, input)),

  history: procedure
    .meta({ description: 'One page of a conversation, oldest message first.' })
    .input(History)
    .query(({ ctx, input }) => ctx.chat.history(callerOf(ctx).username, input)),

  conversations: procedure
    .meta({ description: 'My conversations, the one with the newest message first.' })
    .input(Conversations)
    .query(({ ctx, input }) => ctx.chat.conversations(callerOf(ctx).username, input)),

  onlineUsers: procedure
    .meta({ description: 'Who is online, since when.' })
    .input(OnlineUsers)
    .query(({ ctx, input }) => ctx.chat.onlineUsers(callerOf(ctx).username, input)),

  onMessage: procedure
    .meta({ description: 'All that concerns me, from where I was: messages and receipts.' })
    .input(OnMessage)
    .subscription(
      ({ ctx, input, signal = neverAborted }): AsyncIterable<TrackedEnvelope<ChatEvent>, void, undefined> =>
        ctx.chat.follow(callerOf(ctx).username, input, signal, tracked<ChatEvent>),
    ),

  onStatus: procedure
    .meta({ description: 'Who is online, then who comes and goes.' })
    .input(OnStatus)
    .subscription(({ ctx, input, signal = neverAborted }) =>
      ctx.chat.followStatus(callerOf(ctx).username, input, signal),
    ),
})

/** Subscriptions always come with a signal; only a direct call may lack it. */
const neverAborted = new AbortController().signal

export type AppRouter = typeof appRouter
