import type { Message } from '../../../../server/contract/index.ts'
import { messagePlace } from '../../../../server/contract/places.ts'
import type { ChatClient } from '../../client.ts'
import { asChatError, ChatError } from '../../connection/errors.ts'
import { createRetry } from '../../connection/retry.ts'
import { type ClientState, isLive } from '../../connection/state.ts'
import { isToBeRepeated } from '../online.ts'
import type { Entry } from './drafts.ts'
import { type EditDraft, isMessageDraft } from './storage.ts'

/** Conversations that send at the same time, well below the calls that the server lets one connection have in flight. */
const lanesMax = 8
/** What waits is looked at so often, so that longer times between two looks tell of a machine that slept. */
const lookMs = 60_000

export interface SenderOptions {
  client: ChatClient
  /** In whose name. */
  userId: string
  /** What could not be sent for so long, while this program ran, fails with `timedOut`. */
  giveUpAfterMs: number
  /** Resolves when this sender alone may send, until the signal aborts. */
  lead(signal: AbortSignal): Promise<void>
  /** All of the outbox, in order. */
  entries(): Entry[]
  /** The revision that a message has now that its edit can be made. */
  onRevision(edit: Entry, revision: number): void
  onSent(entry: Entry, message: Message): void
  /** It would fail again. */
  onFailed(entry: Entry, error: ChatError): void
}

/**
 * Sends what waits: one message or change at a time for each conversation, so that their order holds, each again and again
 * in a way that the server knows until it has taken or refused it.
 */
export const createSender = (options: SenderOptions) => {
  const { client, userId, giveUpAfterMs, entries, onSent } = options
  /** What is in flight for each conversation. */
  const lanes = new Map<string, Entry>()
  const over = new AbortController()
  const call = { as: userId, signal: over.signal }
  /** While it leads, or waits to. */
  let term: AbortController | null = null
  /** While this sender alone may send: the term. */
  let lead: AbortController | null = null
  /** What it waits after; null: it does not wait. */
  let refusal: ChatError | null = null
  let expiry: ReturnType<typeof setTimeout> | undefined
  /** How long this has run, by no clock that may be set. */
  let awakeMs = 0
  let lookedAt = performance.now()
  /** When, by that, each was seen first. */
  const seenAt = new WeakMap<Entry, number>()

  const takeLead = async () => {
    const own = new AbortController()
    term = own
    try {
      await options.lead(own.signal)
      if (own.signal.aborted) return
      lead = own
      wake()
    } catch {
      // The storage cannot be had: each message says so itself.
      if (term === own) term = null
    }
  }
  const giveUpLead = () => {
    term?.abort()
    term = lead = null
  }

  /** Sends what can be sent now. */
  const wake = () => {
    if (over.signal.aborted) return
    if (lead) expire()
    if (refusal || !isLive(client.state)) return
    if (!term) return void takeLead()
    if (!lead) return
    for (const entry of readyOf(entries())) {
      if (lanes.size >= lanesMax) return
      if (!lanes.has(entry.draft.conversationId)) void deliver(entry)
    }
  }

  const expire = () => {
    clearTimeout(expiry)
    const now = performance.now()
    awakeMs += Math.min(now - lookedAt, lookMs)
    lookedAt = now
    let nextMs = Number.POSITIVE_INFINITY
    for (const entry of entries()) {
      if (entry.draft.failure || !entry.isKept) continue
      const since = seenAt.get(entry) ?? awakeMs
      seenAt.set(entry, since)
      nextMs = Math.min(nextMs, lookMs)
      if (isSending(entry)) continue
      const leftMs = since + giveUpAfterMs - awakeMs
      if (leftMs <= 0) fail(entry, new ChatError('timedOut'))
      else nextMs = Math.min(nextMs, leftMs)
    }
    if (nextMs <= lookMs) expiry = setTimeout(wake, nextMs)
  }

  const fail = (entry: Entry, error: ChatError) => {
    // Whoever tries it again gives it as much time again.
    seenAt.delete(entry)
    options.onFailed(entry, error)
  }

  const deliver = async (entry: Entry) => {
    const { conversationId } = entry.draft
    lanes.set(conversationId, entry)
    try {
      const message = await carryOut(entry)
      retry.succeeded()
      if (message) onSent(entry, message)
    } catch (cause) {
      if (over.signal.aborted) return
      const error = asChatError(cause)
      // Another holder may be able to.
      if (error.kind === 'notSignedIn') giveUpLead()
      if (isToBeRepeated(cause)) wait(error)
      else fail(entry, error)
    } finally {
      lanes.delete(conversationId)
    }
    wake()
  }

  /** @returns the message as it is then; null: more is known of the draft now */
  const carryOut = async (entry: Entry): Promise<Message | null> => {
    const { draft } = entry
    if (draft.type === 'edit' && draft.revision === null) return readRevision(entry, draft)
    // From here on it may have been carried out.
    entry.lead = null
    if (isMessageDraft(draft)) {
      const { conversationId: to, text, clientMessageId } = draft
      return client.sendMessage({ to, text, clientMessageId }, call)
    }
    const messageId = draft.messageId as string
    if (draft.type === 'delete') return client.deleteMessage({ messageId }, call)
    return client.editMessage({ messageId, text: draft.text, revision: draft.revision as number }, call)
  }

  const readRevision = async (entry: Entry, draft: EditDraft): Promise<Message | null> => {
    const { conversationId, seq } = messagePlace(draft.messageId as string)
    const around = { conversation: conversationId, around: seq, limit: 1 }
    const { messages } = await client.history(around, call)
    const message = messages.find(({ id }) => id === draft.messageId)
    if (!message) throw new ChatError('unknownMessage')
    if (message.deletedAt) throw new ChatError('messageDeleted')
    // An attempt before this one has arrived.
    if (message.text === draft.text) return message
    options.onRevision(entry, message.revision)
    return null
  }

  const goOn = () => {
    retry.stop()
    refusal = null
    wake()
  }
  const retry = createRetry(goOn)
  const wait = (error: ChatError) => {
    refusal = error
    retry.failed(error)
  }

  const isSending = (entry: Entry) => lanes.get(entry.draft.conversationId) === entry

  const onState = (state: ClientState) => {
    if (state.status === 'signedOut') giveUpLead()
    else if (isLive(state)) resume()
  }
  /** A connection, or a session, mends whatever came of having none; a limit counts on. */
  const resume = () => {
    if (refusal?.retryAfterMs === undefined) goOn()
    else wake()
  }
  const unlisten = [client.onState(onState), client.onSignIn(resume)]
  if (client.state.status !== 'signedOut') void takeLead()

  return {
    wake,
    isSending,
    /** While this sender alone may send, the same object; else null. */
    currentLead: (): object | null => lead,
    close() {
      for (const end of unlisten) end()
      over.abort()
      giveUpLead()
      retry.stop()
      clearTimeout(expiry)
    },
  }
}

/** What may leave now, in order: what is still being kept holds up its conversation. */
const readyOf = (entries: Entry[]): Entry[] => {
  const held = new Set<string>()
  return entries.filter(({ draft, isKept }) => {
    const { conversationId, failure } = draft
    if (failure || held.has(conversationId)) return false
    if (!isKept) held.add(conversationId)
    // A change of a message that has failed waits for what becomes of it, and holds up nothing.
    return isKept && (isMessageDraft(draft) || draft.messageId !== null)
  })
}
