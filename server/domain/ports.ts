import type {
  ChangeOf,
  ConversationId,
  Message,
  MissedConversation,
  Profile,
  Receipt,
  Seq,
  TextVersion,
  UserId,
  Version,
} from '../contract/index.ts'

/** Time, from outside, so that tests can hold it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  setTimeout(run: () => void, ms: number): Timer
}
export interface Timer {
  cancel(): void
}

export interface Log {
  debug(facts: object, words: string): void
  info(facts: object, words: string): void
  warn(facts: object, words: string): void
  error(facts: object, words: string): void
}

export interface StoredUser extends Profile {
  passwordHash: string
  createdAt: Date
}

export interface StoredSession {
  /** SHA-256 of the token, base64url: what is stored opens nothing. */
  tokenHash: string
  userId: UserId
  createdAt: Date
  expiresAt: Date
}

export interface AccountStore {
  /** @returns the user with the version of the new profile. @throws ChatError `usernameTaken` */
  createUser(user: Omit<StoredUser, 'version'>): Promise<StoredUser>
  user(userId: UserId): Promise<StoredUser | null>
  /** Of those who exist; one read for many. */
  profiles(userIds: UserId[]): Promise<Profile[]>
  /**
   * A change in each conversation that this user is a member of: their readers find it there.
   * @throws ChatError `unknownUser`
   */
  updateProfile(userId: UserId, profile: { displayName: string }): Promise<Profile>
  /** @throws ChatError `unknownUser` */
  createSession(session: StoredSession): Promise<void>
  /** Also when it has expired: whoever asks compares `expiresAt` with the clock. */
  session(tokenHash: string): Promise<StoredSession | null>
  extendSession(tokenHash: string, expiresAt: Date): Promise<void>
  /** @returns whether there was one. */
  deleteSession(tokenHash: string): Promise<boolean>
  /** Deletes what expired before `before`. @returns how many. */
  deleteExpiredSessions(before: Date): Promise<number>
  /** Remembers when these users were last connected; unknown ids are passed over. */
  setLastSeen(lastSeen: { userId: UserId; at: Date }[]): Promise<void>
  /** Of those who were ever connected. */
  lastSeen(userIds: UserId[]): Promise<Map<UserId, Date>>
}

export interface KnownNetwork {
  userId: UserId
  /** SHA-256 of the user id and the network, base64url. */
  networkHash: string
  /** When the user last signed in from there. */
  seenAt: Date
}

/** From where users have signed in. */
export interface KnownNetworkStore {
  /** Of each user the `keep` newest ones are kept; `seenAt` never moves back. */
  rememberNetwork(network: KnownNetwork, keep: number): Promise<void>
  /** Null: it is not remembered that this user ever signed in from there. One lookup by key, whatever the answer. */
  networkSeenAt(userId: UserId, networkHash: string): Promise<Date | null>
  /** @returns how many. */
  deleteNetworksSeenBefore(before: Date): Promise<number>
}

/** A message as it is for everybody; `delivered` and `read` depend on who looks, and come from the receipts. */
export type StoredMessage = Omit<Message, 'delivered' | 'read'>

/**
 * Something that changed, at its latest state. Its `version` is its place in the order of changes: of a `message` the one
 * at which it was sent, so that the messages of a conversation come in the order of their numbers; of all else the one of
 * this change. The state itself may be of a later version by the time it is read.
 */
export type Change = ChangeOf<StoredMessage>

/** A change as the bus carries it: a message is as it is for everybody at first, not delivered and not read. */
export type PublishedChange = ChangeOf<Message>

/** What somebody may read of a conversation: the messages with `fromSeq <= seq <= untilSeq`. */
export interface Interval {
  fromSeq: Seq
  /** Null: the user is a member. */
  untilSeq: number | null
}

export interface StoredConversation {
  id: ConversationId
  kind: 'direct' | 'group'
  /** Those who are members now. */
  members: UserId[]
  /** 0 where nothing was said yet. */
  lastSeq: number
}

export interface Draft {
  conversationId: ConversationId
  /** Creates the conversation with these members where there is none. */
  members: UserId[]
  kind: 'direct' | 'group'
  sender: UserId
  text: string
  clientMessageId: string | null
  /** The stored message never has an earlier time than the one before it in its conversation. */
  sentAt: Date
}

/** Where a message stands. */
export interface MessagePlace {
  conversationId: ConversationId
  seq: Seq
}

export interface ConversationSummary {
  id: ConversationId
  kind: 'direct' | 'group'
  /** The newest one that the caller may read. */
  lastMessage: StoredMessage
  /** The version at which that one was sent: the summaries are ordered by it. */
  lastVersion: Version
  /** Others' messages above the caller's `readSeq` that the caller may read and that are not deleted. Exact, at any size. */
  unread: number
  /** One for each member. */
  receipts: Receipt[]
}

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

/** What the nodes that work on one store tell each other through it, where the bus cannot be relied on. */
export interface NodeStore {
  /** Random, made with the store and never changed: by it the nodes of one store know each other. */
  storeId(): Promise<string>

  /**
   * The sessions that `deleteSession` ended after this version. It may repeat what it gave before; it never omits. Those
   * that would have expired by now may be forgotten.
   */
  endedSessions(after: Version): Promise<EndedSession[]>

  /** This node is at work. It says so again and again; who does not has died. */
  keepNode(node: string, at: Date): Promise<void>
  /** This node stops in good order. */
  removeNode(node: string): Promise<void>
  /** The nodes that said so at this time or later. */
  nodesSince(since: Date): Promise<string[]>
}

export interface EndedSession {
  tokenHash: string
  version: Version
}

export interface Store extends AccountStore, KnownNetworkStore, MessageStore, NodeStore {
  /** It may write. Rejects with ChatError `unavailable` where the store cannot serve, in words for whoever runs the server. */
  ping(): Promise<void>
  /** Writes what it took, then ends; whatever is asked from here on is `unavailable`. A second call waits for the first. */
  close(): Promise<void>
}

/**
 * Something may have been missed: a moment ago, or (`old`) up to 45 s ago, as a node that has died is known to have only
 * then, and others were heard meanwhile.
 */
export type Gap = 'gap' | 'oldGap'

/** Whom something concerns: a user, or everybody in a conversation. */
export type Audience = UserId | ConversationId

/**
 * Wakes whoever follows, with a copy that saves a read; the store is the truth. It may lose events, but then it says so:
 * `onGap`, as soon as it knows.
 */
export interface Bus {
  /** Whether other nodes work on the same store. Then changes of two nodes may come in another order than their versions. */
  readonly shared: boolean
  /**
   * Whether it hears of everything at the moment, or at least believes so; it may find out 3 s late. While it is not, what
   * came last says nothing of what came before it.
   */
  whole(): boolean
  /** One change to each listener in this audience, in the order of the calls. Listeners must not change it. */
  publish(audience: Audience, change: PublishedChange): void
  /**
   * Hears what is published to any of these audiences: a user hears her direct conversations, and names her groups.
   * @returns a function that ends it.
   */
  listen(audiences: Audience[], onChange: (change: PublishedChange) => void, onGap: (gap: Gap) => void): () => void
  /** Hears everything, whomever it concerns. @returns a function that ends it. */
  listenToAll(onChange: (change: PublishedChange) => void, onGap: (gap: Gap) => void): () => void
  /** Tells all nodes that a session was ended. */
  endSession(tokenHash: string): void
  /** @returns a function that ends it. */
  onSessionEnd(onEnd: (tokenHash: string) => void): () => void
}

export interface PresenceChange {
  userId: UserId
  online: boolean
  at: Date
  /** It came about at this node, or at one that died: at others nobody has to store it. */
  here: boolean
}

/** Who is connected, counted over all connections of a user and all nodes. */
export interface Presence {
  /** One more connection of this user. @returns a function that takes it back. */
  connect(userId: UserId): () => void
  online(): ReadonlyMap<UserId, { since: Date }>
  /** Those who are connected to this node. */
  here(): UserId[]
  /** Called with what changed, gathered over a moment, in portions. @returns a function that ends it. */
  listen(onChange: (changes: PresenceChange[]) => void): () => void
}

/** How passwords are kept. Both may take long, and wait for each other when there are many. */
export interface Passwords {
  hash(password: string): Promise<string>
  verify(hash: string, password: string): Promise<boolean>
  isCommon(password: string): boolean
}

/** Says whether one more is allowed now. */
export interface RateLimiter {
  /** Counts one, over all nodes. @throws ChatError `rateLimited` with `retryAfterMs`, and then counts nothing. */
  take(rule: RateRule, key: string): Promise<void>
  /**
   * The same at once, for what happens thousands of times a second. What other nodes count is known a moment later: all of
   * them together may let a few more pass, which are made up for. @param count how many at once
   */
  takeNow(rule: RateRule, key: string, count?: number): void
  /** Takes one `take` back. */
  giveBack(rule: RateRule, key: string): void
}
export interface RateRule {
  name: string
  /** So many at once ... */
  burst: number
  /** ... and then one each of these. */
  everyMs: number
}

/** All that the rules need from outside. */
export interface Ports {
  store: Store
  bus: Bus
  presence: Presence
  passwords: Passwords
  rates: RateLimiter
  rules: Record<
    | 'sendMessage'
    | 'storage'
    | 'call'
    | 'updateProfile'
    | 'login'
    | 'loginFromUnknown'
    | 'loginFromAddress'
    | 'register',
    RateRule
  >
  /** How long after it was sent a message may be edited; Infinity: for ever. */
  editWindowMs: number
  clock: Clock
  /** 256 random bits, base64url. */
  newToken(): string
  log: Log
}
