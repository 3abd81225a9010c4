import { z } from 'zod'
import { Conversations, History, OnlineUsers, UserId } from '../../contract/index.ts'

/** A query string has only text: what reads as a whole number is one, anything else is left for the schema to refuse. */
const whole = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((text) => (typeof text === 'string' && /^-?\d{1,15}$/.test(text) ? Number(text) : text), schema)

const isoTime = z.union([z.iso.datetime({ offset: true, local: true }), z.iso.date()])

/**
 * Numbers below this are no milliseconds of a time in which anybody chatted (it is in 1973), but seconds, or a `seq` such
 * as `nextBefore`. Taken as a time they would give an empty page, and the caller would believe it.
 */
const earliestMs = 100_000_000_000

const timeWords =
  'A time is ISO 8601 such as 2026-01-31T12:00:00Z, or milliseconds since 1970; to go on from nextBefore, ' +
  'use GET /api/conversations/{conversation}/messages'

/** No time is longer; what is would take the pattern below time that grows with its square. */
const timeMax = 40

const readTime = (given: unknown): unknown => {
  if (typeof given !== 'string' || given.length > timeMax) return given
  if (/^\d{1,16}$/.test(given)) return Number(given) >= earliestMs ? new Date(Number(given)) : given
  // An offset's plus sign that was not encoded arrives as a space.
  const text = given.replace(/^(.*T.*) (?=\d\d:?\d\d$)/, '$1+')
  if (!isoTime.safeParse(text).success) return given
  // Without an offset it is UTC, not the time of wherever the server stands.
  return new Date(/T.*(?:Z|[+-]\d\d:?\d\d)$/.test(text) || !text.includes('T') ? text : `${text}Z`)
}

const Time = z.preprocess(readTime, z.date(timeWords))

const { limit, before, after, around } = History.shape

const historyLimit = whole(limit).describe('How many messages.')

/** The query strings, each as the values that it means. Unknown parameters are refused, as everywhere. */
export const MessagesBetween = z.strictObject({
  sender: UserId.describe('One of the two: a user id. The caller is the other, or this one.'),
  receiver: UserId.describe('The other of the two. Messages of both directions are given.'),
  limit: historyLimit,
  before: Time.optional().describe(
    'Only messages sent before this time, the newest of them: ISO 8601 (UTC where it names no offset) or milliseconds since 1970.',
  ),
})

export const ConversationMessages = z.strictObject({
  limit: historyLimit,
  before: whole(before).describe('Messages before this `seq`, the newest of them: `nextBefore` of a page.'),
  after: whole(after).describe('Messages after this `seq`, the oldest of them: `nextAfter` of a page.'),
  around: whole(around).describe('Messages around this `seq`, and that one.'),
  beforeTime: Time.optional().describe('Messages sent before this time: ISO 8601 or milliseconds since 1970.'),
})

const conversations = Conversations.unwrap().shape
export const ConversationList = z.strictObject({
  limit: whole(conversations.limit).describe('How many conversations.'),
  cursor: conversations.cursor.describe('`nextCursor` of the page before.'),
})

const online = OnlineUsers.unwrap().shape
export const OnlineUserList = z.strictObject({
  limit: whole(online.limit).describe('How many users.'),
  cursor: online.cursor.describe('`nextCursor` of the page before.'),
})
