import type { ChatMessage, Message } from '../../client-sdk/src/node.ts'
import type { Receipt } from '../../server/contract/index.ts'
import type { Device } from './device.ts'
import type { Findings } from './findings.ts'
import { list } from './watch.ts'

// What is true once the network is well again: 0 lost, 0 doubled, 0 out of order, for everybody and everywhere.

/** A restart of the server takes its time, which runs faster for the clients. */
const patience = { timeoutMs: 300_000 }

export interface Judging {
  /** Who has read everything in the end. */
  readsAll: boolean[]
  /** When the server's store was restored; null: it was not. What was acknowledged before may be lost. */
  restored: Date | null
}

/** What the server has of one conversation. */
interface Truth {
  messages: Message[]
  receipts: Map<string, Receipt>
}

export const judge = async (devices: Device[], { readsAll, restored }: Judging, findings: Findings) => {
  await findings.until(
    () => devices.every((device) => device.isAllSent()),
    () => `Not sent: ${devices.map((device) => device.describe())}`,
  )
  const conversationIds = new Set(devices.flatMap(({ views }) => views.map(({ id }) => id)))
  for (const conversationId of conversationIds) {
    const members = devices.filter(({ views }) => views.some(({ id }) => id === conversationId))
    const messages = await wholeHistory(members[0] as Device, conversationId)
    compareWithSends(conversationId, messages, members, restored, findings)
    for (const device of members) await hasAll(device, conversationId, messages, findings)
  }
  for (const device of devices.filter((_, i) => readsAll[i])) device.readAll()
  for (const conversationId of conversationIds) {
    const members = devices.filter(({ views }) => views.some(({ id }) => id === conversationId))
    await readsArrive(members, conversationId, findings)
    const truth = await truthOf(members[0] as Device, conversationId)
    compareReads(conversationId, members, truth, findings)
    for (const device of members) await agrees(device, conversationId, truth, findings)
  }
  findings.throwIfAny()
}

const wholeHistory = async ({ client }: Device, conversation: string): Promise<Message[]> => {
  const messages: Message[] = []
  for (let after: number | null = 0; after !== null; ) {
    const page = await client.history({ conversation, after, limit: 100 }, patience)
    messages.push(...page.messages)
    after = page.nextAfter
  }
  return messages
}

const compareWithSends = (
  conversationId: string,
  messages: Message[],
  members: Device[],
  restored: Date | null,
  { found }: Findings,
) => {
  const say = (words: string) => found(`${conversationId} ${words}: ${list(messages)}`)
  if (messages.some(({ seq }, i) => seq !== i + 1)) say('has a hole')
  for (const { name, accepted, takenBack, lastTexts } of members) {
    const own = accepted.filter((sent) => sent.conversationId === conversationId && !takenBack.has(sent.key))
    const sends = own.map(({ key }) => key)
    const names = new Set(sends)
    const stored = messages.map(({ clientMessageId }) => clientMessageId ?? '').filter((key) => names.has(key))
    for (const { clientMessageId, text } of messages) {
      const last = lastTexts().get(clientMessageId ?? '')
      if (!restored && last !== undefined && text !== (last ?? '') && !takenBack.has(clientMessageId ?? ''))
        say(`has «${text}» where ${name} wrote «${last}»`)
    }
    const kept = sends.filter((key) => stored.includes(key))
    const doubled = stored.filter((key, i) => stored.indexOf(key) !== i)
    if (!restored && kept.length < sends.length) say(`has lost some of ${sends}`)
    if (doubled.length > 0) say(`has ${doubled} doubled`)
    if (String(stored) !== String(kept)) say(`has the messages of ${name} out of order`)
  }
}

/** Her loop, and her view, which is read to its beginning. */
const hasAll = async (device: Device, conversationId: string, messages: Message[], findings: Findings) => {
  const view = viewOf(device, conversationId)
  const states = (line: readonly { id: string | null; version: number; text: string }[]) =>
    String(line.map(({ id, version, text }) => `${id} ${version} ${text}`))
  const isRead = () => view.getSnapshot().loading === null
  const shown = () => view.getSnapshot().messages
  const heard = () => device.heard(conversationId)
  const heardAll = () =>
    device.isExcused()
      ? messages.every(
          ({ sentAt, clientMessageId }) => sentAt < device.excusedUntil() || device.heardNames.has(clientMessageId),
        )
      : states(heard()) === states(messages)
  await findings.until(
    () => isRead() && shown().at(-1)?.seq === messages.at(-1)?.seq && heardAll(),
    () =>
      `${device.name} does not get all of ${conversationId}: ${list(messages)}; the view shows ${list(shown())}, the loop got ${list(heard())}`,
  )
  while (view.getSnapshot().hasOlder) await view.loadOlder()
  await findings.until(
    () => states(shown()) === states(messages),
    () => `${device.name} sees ${list(shown())}, not ${list(messages)}`,
  )
}

/** What somebody has read is known to those who wrote it. */
const readsArrive = async (members: Device[], conversationId: string, findings: Findings) => {
  // What was said as read before the store was restored is lost.
  for (const reader of members.filter((member) => !member.isExcused())) {
    const upTo = reader.marked(conversationId)
    for (const writer of members.filter(({ userId }) => userId !== reader.userId)) {
      const unread = () =>
        viewOf(writer, conversationId)
          .getSnapshot()
          .messages.filter(
            ({ sender, seq, status }) => sender === writer.userId && (seq ?? 0) <= upTo && status !== 'read',
          )
      await findings.until(
        () => unread().length === 0,
        () => `${writer.name} does not see that ${reader.name} has read up to ${upTo}: ${list(unread())}`,
      )
    }
  }
}

const truthOf = async (device: Device, conversationId: string): Promise<Truth> => {
  const messages = await wholeHistory(device, conversationId)
  const { conversations } = await device.client.conversations(undefined, patience)
  const receipts = conversations.find(({ id }) => id === conversationId)?.receipts ?? []
  return { messages, receipts: new Map(receipts.map((receipt) => [receipt.userId, receipt])) }
}

const compareReads = (conversationId: string, members: Device[], { receipts }: Truth, { found }: Findings) => {
  for (const [userId, { readSeq }] of receipts) {
    const devices = members.filter((device) => device.userId === userId)
    const least = Math.max(...devices.map((device) => device.marked(conversationId)))
    const most = Math.max(...devices.map((device) => device.everMarked(conversationId)))
    if ((readSeq < least && !devices.some((device) => device.isExcused())) || readSeq > most) {
      found(`${userId} has read ${conversationId} up to ${readSeq}, and said so from ${least} to ${most}`)
    }
  }
}

/** Her statuses and her unread count are the server's. */
const agrees = async (device: Device, conversationId: string, { messages, receipts }: Truth, findings: Findings) => {
  const { userId, name } = device
  const ownReadSeq = receipts.get(userId)?.readSeq ?? 0
  const others = [...receipts.values()].filter((receipt) => receipt.userId !== userId)
  const othersReadSeq = Math.min(...others.map(({ readSeq }) => readSeq))
  const unread = messages.filter(
    ({ sender, seq, deletedAt }) => sender !== userId && seq > ownReadSeq && !deletedAt,
  ).length
  const last = messages.at(-1)

  const isRead = ({ sender, seq, status }: ChatMessage) =>
    sender !== userId ? status === 'received' : status === (Number(seq) <= othersReadSeq ? 'read' : 'delivered')
  // What a restored server has forgotten of who has got and read what, a client need not.
  const hasStatus = (message: ChatMessage) => device.isExcused() || isRead(message)
  const shown = () => viewOf(device, conversationId).getSnapshot().messages
  await findings.until(
    () => shown().every(hasStatus),
    () => `${name} sees ${list(shown())}, while others have read up to ${othersReadSeq}`,
  )
  const isCounted = (count = 0) => (device.isExcused() ? count <= unread : count === unread)
  const summary = () => device.chat.conversations.getSnapshot().conversations.find(({ id }) => id === conversationId)
  await findings.until(
    () => messages.length === 0 || (isCounted(summary()?.unread) && summary()?.lastMessage?.version === last?.version),
    () =>
      `${name} sees ${summary()?.unread} unread up to ${summary()?.lastMessage?.seq} in ${conversationId}, not ${unread} up to ${messages.length}`,
  )
}

const viewOf = (device: Device, conversationId: string) => {
  const view = device.views.find(({ id }) => id === conversationId)
  if (!view) throw new Error(`${device.name} is not in ${conversationId}`)
  return view
}
