import { type TrackedEnvelope, tracked } from '@trpc/server'
import {
  type ChatEvent,
  Conversations,
  DeleteMessage,
  EditMessage,
  History,
  Login,
  MarkDelivered,
  MarkRead,
  MessageVersions,
  OnlineUsers,
  OnMessage,
  OnStatus,
  Register,
  SendMessage,
  UpdateProfile,
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

  me: procedure.meta({ description: 'Who is calling.' }).query(({ ctx }) => ctx.chat.me(callerOf(ctx).userId)),

  updateProfile: procedure
    .meta({ description: 'Changes my display name; everybody who shares a conversation with me is told.' })
    .input(UpdateProfile)
    .mutation(({ ctx, input }) => ctx.chat.updateProfile(callerOf(ctx).userId, input)),

  sendMessage: procedure
    .meta({ description: 'Sends a text to a user or a conversation. When it returns, the message is on disk.' })
    .input(SendMessage)
    .mutation(({ ctx, input }) => ctx.chat.sendMessage(callerOf(ctx).userId, input)),

  editMessage: procedure
    .meta({ description: 'Gives a message of mine another text. It names the revision that the edit was made on.' })
    .input(EditMessage)
    .mutation(({ ctx, input }) => ctx.chat.editMessage(callerOf(ctx).userId, input)),

  deleteMessage: procedure
    .meta({ description: 'Deletes a message of mine: its number stays, its texts are gone for good.' })
    .input(DeleteMessage)
    .mutation(({ ctx, input }) => ctx.chat.deleteMessage(callerOf(ctx).userId, input)),

  messageVersions: procedure
    .meta({ description: 'The texts that a message has had, the first one first.' })
    .input(MessageVersions)
    .query(({ ctx, input }) => ctx.chat.messageVersions(callerOf(ctx).userId, input)),

  markRead: procedure
    .meta({ description: 'Marks everything up to and including this message as read.' })
    .input(MarkRead)
    .mutation(({ ctx, input }) => ctx.chat.markRead(callerOf(ctx).userId, input)),

  markDelivered: procedure
    .meta({ description: 'Says that the messages up to these have arrived, for subscriptions with ack: client.' })
    .input(MarkDelivered)
    .mutation(({ ctx, input }) => ctx.chat.markDelivered(callerOf(ctx).userId, input)),

  history: procedure
    .meta({ description: 'One page of a conversation, oldest message first.' })
    .input(History)
    .query(({ ctx, input }) => ctx.chat.history(callerOf(ctx).userId, input)),

  conversations: procedure
    .meta({ description: 'My conversations, the one with the newest message first.' })
    .input(Conversations)
    .query(({ ctx, input }) => ctx.chat.conversations(callerOf(ctx).userId, input)),

  onlineUsers: procedure
    .meta({ description: 'Who is online, since when.' })
    .input(OnlineUsers)
    .query(({ ctx, input }) => ctx.chat.onlineUsers(callerOf(ctx).userId, input)),

  onMessage: procedure
    .meta({ description: 'All that concerns me, from where I was: messages, their changes, receipts, profiles.' })
    .input(OnMessage)
    .subscription(
      ({ ctx, input, signal = neverAborted }): AsyncIterable<TrackedEnvelope<ChatEvent>, void, undefined> =>
        ctx.chat.follow(callerOf(ctx).userId, input, signal, tracked<ChatEvent>),
    ),

  onStatus: procedure
    .meta({ description: 'Who is online, then who comes and goes.' })
    .input(OnStatus)
    .subscription(({ ctx, input, signal = neverAborted }) =>
      ctx.chat.followStatus(callerOf(ctx).userId, input, signal),
    ),
})

/** Subscriptions always come with a signal; only a direct call may lack it. */
const neverAborted = new AbortController().signal

export type AppRouter = typeof appRouter
