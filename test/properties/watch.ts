import type { ChatMessage, ConversationView } from '../../client-sdk/src/node.ts'
import type { Findings } from './findings.ts'

/** What must be true of every snapshot of a conversation, and from each to the next. */

const ranks: Record<ChatMessage['status'], number> = {
  sending: 0,
  failed: 0,
  sent: 1,
  delivered: 2,
  read: 3,
  received: 3,
}

/** Texts are made by `textOf`: who sent it, and its number among those of the sender. An edit adds a word of its own. */
export const textOf = (device: string, number: number, isLong: boolean) =>
  `${device} ${number}${isLong ? ` ${'漢'.repeat(3_900)}` : ''}`
export const editedText = (text: string, edit: string) => `${text.split(' ').slice(0, 2).join(' ')} ${edit}`
const readText = (text: string) => {
  const [device = '', number = ''] = text.split(' ')
  return { device, number: Number(number) }
}

interface Shown {
  /** How far it was. */
  rank: number
  version: number
  seq: number | null
}

export interface WatchOptions {
  /** The keys of messages that were deleted before they were sent. */
  takenBack: ReadonlySet<string>
  /** The server has lost messages, so that they go. */
  isRestored(): boolean
  findings: Findings
}

/**
 * @returns looks at it now; otherwise it is looked at whenever it tells of a change.
 */
export const watchConversation = (
  where: string,
  view: ConversationView,
  { takenBack, isRestored, findings: { found, changed } }: WatchOptions,
) => {
  /** By key, each message that has ever been shown. */
  const shown = new Map<string, Shown>()

  const look = () => {
    const snapshot = view.getSnapshot()
    if (view.getSnapshot() !== snapshot) found(`${where}: two snapshots of one state`)
    if (snapshot.error) found(`${where}: ${snapshot.error.message}`)
    const { messages, hasOlder } = snapshot
    // A page of long ones is short: what it leaves out is older.
    const firstSeq = hasOlder ? (messages[0]?.seq ?? 0) : 0
    for (const key of takenBack) shown.delete(key)
    // What the server has lost stands there until the client knows it.
    const bad = isRestored() ? [] : [...badLines(messages, takenBack), ...badChanges(messages, shown, firstSeq)]
    for (const words of bad) found(`${where} ${words}: ${list(messages)}`)
    for (const { key, status, version, seq } of messages) shown.set(key, { rank: ranks[status], version, seq })
    changed()
  }
  const unsubscribe = view.subscribe(look)
  return Object.assign(look, { stop: unsubscribe })
}

const badLines = (messages: readonly ChatMessage[], takenBack: ReadonlySet<string>): string[] => {
  const bad: string[] = []
  const last = new Map<string, number>()
  const keys = new Set<string>()
  let seq = 0
  for (const message of messages) {
    if (keys.has(message.key)) bad.push(`shows ${message.text} twice`)
    keys.add(message.key)
    if (message.status === 'failed') bad.push(`shows ${message.text} as failed (${message.error?.kind})`)
    if (message.seq !== null && message.seq <= seq) bad.push(`shows ${message.text} behind its place`)
    seq = message.seq ?? Number.POSITIVE_INFINITY
    // Taken back in one tab while it was edited in another, it may come again behind later ones.
    if (message.deletedAt || takenBack.has(message.key)) continue
    const { device, number } = readText(message.text)
    if (number <= (last.get(device) ?? 0)) bad.push(`shows ${message.text} out of order`)
    last.set(device, number)
  }
  return bad
}

/** @param firstSeq what stands before it is not loaded, and what was `sending` may turn out to stand there */
const badChanges = (messages: readonly ChatMessage[], shown: Map<string, Shown>, firstSeq: number): string[] => {
  const now = new Map(messages.map((message) => [message.key, message]))
  const bad: string[] = []
  for (const [key, { rank, version, seq }] of shown) {
    const message = now.get(key)
    if (!message) {
      if ((seq ?? 0) >= firstSeq) bad.push(`shows ${key} no more`)
    } else if (ranks[message.status] < rank) bad.push(`takes ${message.text} back to ${message.status}`)
    else if (message.version < version) bad.push(`shows an older state of ${key} behind a newer one`)
  }
  return bad
}

export const list = (messages: readonly { seq: number | null; text: string; status?: string }[]) =>
  messages.map(({ seq, text, status = '' }) => `${seq ?? '-'} «${text.slice(0, 40)}» ${status}`.trim()).join(', ')
