import type {
  ConversationId,
  MissedConversation,
  Receipt,
  Seq,
  TextVersion,
  UserId,
  Version,
} from '../../contract/index.ts'
import type {
  Change,
  ConversationSummary,
  Draft,
  Interval,
  MessagePlace,
  StoredConversation,
  StoredMessage,
} from './messages.ts'

/**
 * Every write is durable when its promise resolves; the promises of one store resolve in the order of the versions.
 * Every read sees what was acknowledged before it, and costs what it returns, not what the store holds.
 * Nothing needs a transaction over two conversations.
 */
export interface MessageStore {
  /**
   * Adds a message with the next `seq` of its conversation. The same `(conversationId, sender, clientMessageId)` again
   * returns the first message as it is now, `repeated`; it is the same where its first text is.
   * It asks neither for accounts nor for membership: whoever calls has. One that fails does not fail those beside it.
   * @throws ChatError `conflict`: the id was used for another text; `unavailable`: it may or may not be stored, and trying
   * again under the same `clientMessageId` is safe
   */
  append(draft: Draft): Promise<{ message: StoredMessage; repeated: boolean }>

  /**
   * Gives a message its next text, if `revision` is its present one; the one before is kept. The same edit again, known by
   * its revision and text, returns the message as it is now, `repeated`.
   * @throws ChatError `unknownMessage`; `messageDeleted`; `conflict`: the revision is another, with `message`
   */
  edit(
    edit: MessagePlace & { revision: number; text: string; editedAt: Date },
  ): Promise<{ message: StoredMessage; repeated: boolean }>

  /**
   * Takes the text of a message, and all its former texts, out of the store and its files; the message stays as a
   * tombstone. Of a deleted one nothing changes, `repeated`. @throws ChatError `unknownMessage`
   */
  delete(deletion: MessagePlace & { deletedAt: Date }): Promise<{ message: StoredMessage; repeated: boolean }>

  /** The texts of a message, oldest first, the present one last; none of one that is deleted or not there. */
  textVersions(place: MessagePlace): Promise<TextVersion[]>

  /**
   * Told of what was stored after whoever asked for it was told `unavailable`: nobody else would tell those whom it
   * concerns. A store that never says `unavailable` too early tells nothing.
   */
  onLate(tell: (changes: Change[]) => void): void

  conversation(id: ConversationId): Promise<StoredConversation | null>

  /** What this user may read of a conversation, in order, without overlaps; only the last may be open. None: a stranger. */
  intervals(conversationId: ConversationId, userId: UserId): Promise<Interval[]>

  /** All conversations that this user is a member of. */
  conversationsOf(userId: UserId): Promise<ConversationId[]>

  /** Those of them that are groups. */
  groups(userId: UserId): Promise<ConversationId[]>

  /**
   * Makes somebody a member of a group, who reads from `fromSeq` on, or from behind her last interval where she comes
   * back. Of a member nothing changes. @throws ChatError `notMember` where there is no such group
   */
  addMember(conversationId: ConversationId, userId: UserId, fromSeq: Seq): Promise<void>

  /** Ends a membership: nothing behind the newest message is read by her. Of a stranger nothing changes. */
  removeMember(conversationId: ConversationId, userId: UserId): Promise<void>

  /** Those of these messages that are there, at their latest state, in any order; one read for many. */
  messagesAt(places: MessagePlace[]): Promise<StoredMessage[]>

  /**
   * The messages with `from <= seq <= to`, in order; at most `limit`: the newest of them where `newest`, else the oldest. Those
   * may be left out that are not wanted: beyond so many bytes of the texts that are nearer to `around`.
   */
  messages(range: {
    conversationId: ConversationId
    from: Seq
    to: Seq
    limit: number
    newest: boolean
    wanted?: { around: Seq; textBytes: number }
  }): Promise<StoredMessage[]>

  /** The first `seq` whose message was sent at `time` or later; lastSeq + 1 where all are earlier. */
  seqAt(conversationId: ConversationId, time: Date): Promise<Seq>

  /** One for each member of each of these conversations. */
  receipts(conversationIds: ConversationId[]): Promise<Receipt[]>

  /**
   * Moves receipts forward, never back, and never past the last message; `readSeq` carries `deliveredSeq` along. Who is
   * not a member is passed over. @returns those that moved, as they are now.
   */
  advance(
    moves: { conversationId: ConversationId; userId: UserId; deliveredSeq: number; readSeq: number }[],
  ): Promise<Receipt[]>

  /**
   * This user's conversations that have a message, by the version at which their newest one was sent, descending; below
   * `before`. Those may be left out that come behind so many bytes of texts.
   */
  conversations(
    userId: UserId,
    before: Version | null,
    limit: number,
    textBytes?: number,
  ): Promise<ConversationSummary[]>

  /**
   * How far below a version changes may still turn up: whoever goes on behind a version reads from so far below it, and
   * passes over what she has. 0 where versions are exact.
   */
  readonly overlap: Version

  /**
   * Of what callers and their feeds read, so much is to be asked for at once, at most. More would wait inside, first come,
   * first served.
   */
  readonly parallelReads: number

  /**
   * The present, by the clock: no change that is seen from now on has a version at or below this, but for the overlap. It
   * says nothing of what was written.
   */
  version(): Promise<Version>

  /**
   * What concerns this user and changed with `after < version <= upTo`, by version, in pages of at most `limit`; it ends
   * where there is no more at the moment. Each subject comes once: a message sent after `after` as `message`, whatever
   * became of it since, an earlier one that changed as `messageChanged`. Of the conversations in `except` no `message`
   * comes; what changed in place there does.
   */
  changes(
    userId: UserId,
    range: { after: Version; upTo: Version; except: ConversationId[] },
    limit: number,
  ): AsyncIterable<Change[]>

  /** The same of everything, whomever it concerns: for whoever follows the whole store. */
  allChanges(range: { after: Version; upTo: Version }, limit: number): AsyncIterable<Change[]>

  /**
   * The messages above this user's `deliveredSeq` (own ones among them) that were sent with `after < version <= upTo`, by
   * version, in pages of at most `limit`.
   */
  undelivered(userId: UserId, range: { after: Version; upTo: Version }, limit: number): AsyncIterable<Change[]>

  /**
   * This user's conversations with more than `moreThan` messages sent after this version, and where those begin: `afterSeq`
   * is the `seq` of the last message at or below the version, 0 for none. It may be an earlier one, never a later.
   */
  backlog(userId: UserId, after: Version, moreThan: number): Promise<MissedConversation[]>

  /**
   * For each of these users the version of the newest change that concerns her; those whom nothing above `after` concerns
   * are left out. One read for many, cheap where `after` is not long ago.
   */
  latestVersions(userIds: UserId[], after: Version): Promise<Map<UserId, Version>>
}
