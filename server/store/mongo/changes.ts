import type { UserId, Version } from '../../contract/index.ts'
import type { Change, MessageStore } from '../../domain/ports.ts'
import {
  isMember,
  messageChanged,
  messageSent,
  profileChanged,
  receiptMoved,
  toMessage,
  toProfile,
  toReceipt,
} from './documents.ts'
import { mergePages, pagesBehind } from './merge-pages.ts'
import { changedFor, type Readable, readableBy, sentTo, type VersionRange } from './readable.ts'
import { find } from './reads.ts'
import type { MessageDocument, Models, UserDocument } from './schema.ts'
import { undeliveredPages } from './undelivered.ts'

const byVersion = { version: 1 } as const
const byId = { _id: 1 } as const
const byChange = { changedVersion: 1 } as const
const changeOf = ({ changedVersion }: MessageDocument): Version => changedVersion ?? 0
const versionOf = ({ version }: { version: Version }): Version => version

/** A source reads so many rows at once also for smaller pages: those would cost a query of each kind for each change. */
const leastAtOnce = 20

/**
 * What changed within a range of versions: each kind of change is read by its own index, and all are merged by version.
 * Messages that are new to the reader and those that changed in place are told apart by where the reader began, which
 * stays the same from page to page.
 */
export const changeStore = (models: Models): Pick<MessageStore, 'changes' | 'allChanges' | 'undelivered'> => {
  const { users, members, messages } = models

  const sent = (
    filter: (range: VersionRange) => object,
    { after, upTo }: VersionRange,
    limit: number,
    sort: typeof byVersion | typeof byId = byVersion,
  ) =>
    mapped(
      pagesBehind(after, limit, versionOf, (after) => find(messages, filter({ after, upTo }), { sort, limit })),
      messageSent,
    )

  const changed = (filter: (range: VersionRange) => object, { after, upTo }: VersionRange, limit: number) =>
    mapped(
      pagesBehind(after, limit, changeOf, (after) =>
        find(messages, filter({ after, upTo }), { sort: byChange, limit }),
      ),
      (document) => messageChanged(toMessage(document)),
    )

  const receipts = (filter: object, { after, upTo }: VersionRange, limit: number) =>
    mapped(
      pagesBehind(after, limit, versionOf, (after) =>
        find(members, { ...filter, version: { $gt: after, $lte: upTo }, ...isMember }, { sort: byVersion, limit }),
      ),
      (document) => receiptMoved(toReceipt(document)),
    )

  const profiles = ({ after, upTo }: VersionRange, limit: number) =>
    pagesBehind(after, limit, versionOf, (after) =>
      find(users, { version: { $gt: after, $lte: upTo } }, { sort: byVersion, limit }),
    )

  const changesOf = async function* (
    userId: UserId,
    readable: Readable,
    range: VersionRange,
    except: string[],
    limit: number,
  ): AsyncGenerator<Change[], void> {
    const atOnce = Math.max(limit, leastAtOnce)
    const isSent = await sentTo(models, readable)
    const isNew = (range: VersionRange) =>
      except.length === 0 ? isSent(range) : { $and: [isSent(range), { conversationId: { $nin: except } }] }
    yield* mergePages(
      [
        sent(isNew, range, atOnce),
        changed((part) => changedFor(readable, part, range.after), range, atOnce),
        receipts({ audience: { $in: readable.current } }, range, atOnce),
        filtered(profiles(range, atOnce), (page) => thoseWhoShare(models, userId, readable, page)),
      ],
      limit,
    )
  }

  return {
    async *changes(userId, { after, upTo, except }, limit) {
      yield* changesOf(userId, await readableBy(models, userId), { after: started(after), upTo }, except, limit)
    },

    allChanges({ after, upTo }, limit) {
      const range = { after: started(after), upTo }
      const atOnce = Math.max(limit, leastAtOnce)
      return mergePages(
        [
          sent(
            ({ after, upTo }) => ({ _id: { $gt: after, $lte: upTo }, versionApart: { $exists: false } }),
            range,
            atOnce,
            byId,
          ),
          sent(({ after, upTo }) => ({ version: { $gt: after, $lte: upTo }, versionApart: true }), range, atOnce),
          changed(
            ({ after, upTo }) => ({ changedVersion: { $gt: after, $lte: upTo }, version: { $lte: range.after } }),
            range,
            atOnce,
          ),
          receipts({}, range, atOnce),
          filtered(profiles(range, atOnce), async (page) => page),
        ],
        limit,
      )
    },

    undelivered: (userId, range, limit) => undeliveredPages(models, userId, range, limit),
  }
}

/** A receipt that never moved has version 0. */
const started = (after: Version): Version => Math.max(0, after)

async function* mapped<Row>(
  pages: AsyncIterable<Row[]>,
  toChange: (row: Row) => Change,
): AsyncGenerator<Change[], void> {
  for await (const page of pages) yield page.map(toChange)
}

async function* filtered(
  pages: AsyncIterable<UserDocument[]>,
  select: (page: UserDocument[]) => Promise<UserDocument[]>,
): AsyncGenerator<Change[], void> {
  for await (const page of pages) {
    yield (page.length === 0 ? [] : await select(page)).map((user) => profileChanged(toProfile(user)))
  }
}

/**
 * Profiles change seldom, so that those within a range are read for everybody, and kept where the reader is in a
 * conversation with them: a mark in each of their conversations would be a write for each.
 */
const thoseWhoShare = async (
  { members }: Models,
  userId: UserId,
  { current }: Readable,
  page: UserDocument[],
): Promise<UserDocument[]> => {
  const others = page.map(({ _id }) => _id).filter((id) => id !== userId)
  const shared = { userId: { $in: others }, audience: { $in: current }, ...isMember }
  const found = others.length === 0 ? [] : await find(members, shared, { projection: { userId: 1 } })
  const known = new Set([userId, ...found.map((member) => member.userId)])
  return page.filter(({ _id }) => known.has(_id))
}
