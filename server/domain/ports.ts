import type { ConversationId, Message, MissedConversation, Receipt, Seq, Username, Version } from '../contract/index.ts'

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

export interface StoredUser {
  username: Username
  displayName: string
  passwordHash: string
  createdAt: Date
}

export interface StoredSession {
  /** SHA-256 of the token, base64url: what is stored opens nothing. */
  tokenHash: string
  username: Username
  createdAt: Date
  expiresAt: Date
}

export interface AccountStore {
  /** @throws ChatError `usernameTaken` */
  createUser(user: StoredUser): Promise<void>
  user(username: Username): Promise<StoredUser | null>
  /** @throws ChatError `unknownUser` */
  createSession(session: StoredSession): Promise<void>
  /** Also when it has expired: whoever asks compares `expiresAt` with the clock. */
  session(tokenHash: string): Promise<StoredSession | null>
  extendSession(tokenHash: string, expiresAt: Date): Promise<void>
  /** @returns whether there was one. */
  deleteSession(tokenHash: string): Promise<boolean>
  /** Deletes what expired before `before`. @returns how many. */
  deleteExpiredSessions(before: Date): Promise<number>
  /** Remembers when these users were last connected; unknown names are passed over. */
  setLastSeen(lastSeen: { username: Username; at: Date }[]): Promise<void>
  /** Of those who were ever connected. */
  lastSeen(usernames: Username[]): Promise<Map<Username, Date>>
}

/** A message as it is for everybody; `delivered` and `read` depend on who looks, and come from the receipts. */
export type StoredMessage = Omit<Message, 'delivered' | 'read'>

export interface StoredConversation {
  id: ConversationId
  kind: 'direct' | 'group'
  members: Username[]
  /** 0 where nothing was said yet. */
  lastSeq: number
}

export interface Draft {
  conversationId: ConversationId
  /** Creates the conversation with these members where there is none. */
  members: Username[]
  kind: 'direct' | 'group'
  sender: Username
  text: string
  clientMessageId: string | null
  /** The stored message never has an earlier time than the one before it in its conversation. */
  sentAt: Date
}

/** Something that changed, at its latest state. */
export type Change =
  | { type: 'message'; version: Version; message: StoredMessage }
  | { type: 'receipt'; version: Version; receipt: Receipt }

export interface ConversationSummary {
  id: ConversationId
  kind: 'direct' | 'group'
  lastMessage: StoredMessage
  /** Others' messages above the caller's `readSeq`; counting ends at 1,000, and need not look behind the newest 1,000. */
  unread: number
  receipts: Receipt[]
}

/**
 * Every write is durable when its promise resolves; the promises of one store resolve in the order of the versions.
 * Every read sees what was acknowledged before it.
 * Nothing needs a transaction over two conversations.
 */
export interface MessageStore {
  /**
   * Adds a message with the next `seq` of its conversation. The same `(conversationId, sender, clientMessageId)` again
   * returns the first message, `repeated`.
   * It asks neither for accounts nor for membership: whoever calls has. One that fails does not fail those beside it.
   * @throws ChatError `conflict`: the id was used for another text; `unavailable`: it may or may not be stored, and trying
   * again under the same `clientMessageId` is safe
   */
  append(draft: Draft): Promise<{ message: StoredMessage; repeated: boolean }>

  /**
   * Told of what was stored after whoever asked for it was told `unavailable`: nobody else would tell those whom it
   * concerns. A store that never says `unavailable` too early tells nothing.
   */
  onLate(tell: (changes: Change[]) => void): void

  conversation(id: ConversationId): Promise<StoredConversation | null>

  /** Whether all of these messages are there; one read for many. */
  hasMessages(places: { conversationId: ConversationId; seq: Seq }[]): Promise<boolean>

  /** The messages with `from <= seq <= to`, in order; at most `limit`: the newest of them where `newest`, else the oldest. */
  messages(range: {
    conversationId: ConversationId
    from: Seq
    to: Seq
    limit: number
    newest: boolean
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
    moves: { conversationId: ConversationId; username: Username; deliveredSeq: number; readSeq: number }[],
  ): Promise<Receipt[]>

  /** This user's conversations that have a message, by the version of their newest one, descending; below `before`. */
  conversations(username: Username, before: Version | null, limit: number): Promise<ConversationSummary[]>

  /**
   * How far below a version changes may still turn up: whoever goes on behind a version reads from so far below it, and
   * passes over what she has. 0 where versions are exact.
   */
  readonly overlap: Version

  /** No change that is seen from now on has a version at or below this, but for the overlap. */
  version(): Promise<Version>

  /**
   * What concerns this user and changed with `after < version <= upTo`, by version, but for the conversations in
   * `except`; at most `limit`. Fewer than `limit` means: that was all.
   */
  changes(
    username: Username,
    range: { after: Version; upTo: Version; except: ConversationId[] },
    limit: number,
  ): Promise<Change[]>

  /**
   * The messages above this user's `deliveredSeq` (her own among them) with `after < version <= upTo`, by version; at
   * most `limit`. Fewer than `limit` means: that was all.
   */
  undelivered(username: Username, range: { after: Version; upTo: Version }, limit: number): Promise<StoredMessage[]>

  /**
   * This user's conversations with more than `moreThan` messages after this version, and where those begin: `afterSeq` is
   * the `seq` of the last message at or below the version, 0 for none. It may be an earlier one, never a later.
   */
  backlog(username: Username, after: Version, moreThan: number): Promise<MissedConversation[]>

  /**
   * For each of these users the version of the newest change that concerns her; those whom nothing above `after` concerns
   * are left out. One read for many, cheap where `after` is not long ago.
   */
  latestVersions(usernames: Username[], after: Version): Promise<Map<Username, Version>>
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

export interface Store extends AccountStore, MessageStore, NodeStore {
  /** It may write. Rejects with ChatError `unavailable` where the store cannot serve, in words for whoever runs the server. */
  ping(): Promise<void>
  /** Writes what it took, then ends; whatever is asked from here on is `unavailable`. A second call waits for the first. */
  close(): Promise<void>
}

/** A message travels as it is to everybody at first: not delivered, not read. */
export type BusEvent =
  | { type: 'message'; message: Message }
  | { type: 'receipt'; receipt: Receipt }
  | { type: 'sessionEnded'; tokenHash: string }

/**
 * Something may have been missed: a moment ago, or (`old`) up to 45 s ago, as a node that has died is known to have only
 * then, and others were heard meanwhile.
 */
export type Gap = 'gap' | 'oldGap'

/**
 * Wakes whoever follows, with a copy that saves a read; the store is the truth. It may lose events, but then it says so:
 * `onGap`, as soon as it knows.
 */
export interface Bus {
  /** Whether other nodes work on the same store. Then events of two nodes may come in another order than their versions. */
  readonly shared: boolean
  /**
   * Whether it hears of everything at the moment, or at least believes so; it may find out 3 s late. While it is not, what
   * came last says nothing of what came before it.
   */
  whole(): boolean
  /** One event to each of these users' listeners, in the order of the calls. Listeners must not change it. */
  publish(usernames: Username[], event: BusEvent): void
  /** @returns a function that ends it. */
  listen(username: Username, onEvent: (event: BusEvent) => void, onGap: (gap: Gap) => void): () => void
}

export interface PresenceChange {
  username: Username
  online: boolean
  at: Date
  /** It came about at this node, or at one that died: at others nobody has to store it. */
  here: boolean
}

/** Who is connected, counted over all her connections and all nodes. */
export interface Presence {
  /** One more connection of this user. @returns a function that takes it back. */
  connect(username: Username): () => void
  online(): ReadonlyMap<Username, { since: Date }>
  /** Those who are connected to this node. */
  here(): Username[]
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
   * them together may let a few more pass, which are made up for.
   */
  takeNow(rule: RateRule, key: string): void
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
  rules: { sendMessage: RateRule; call: RateRule; login: RateRule; loginFromAddress: RateRule; register: RateRule }
  clock: Clock
  /** 256 random bits, base64url. */
  newToken(): string
  log: Log
}
