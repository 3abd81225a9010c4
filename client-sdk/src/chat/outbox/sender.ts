import type { Message } from '../../../../server/contract/index.ts'
import { messagePlace } from '../../../../server/contract/places.ts'
import type { ChatClient } from '../../client.ts'
import { asChatError, ChatError } from '../../connection/errors.ts'
import { createRetry } from '../../connection/retry.ts'
import { timerMaxMs } from '../../connection/sleep.ts'
import { type ClientState, isLive } from '../../connection/state.ts'
import { isToBeRepeated } from '../online.ts'
import { type Draft, type EditDraft, isMessageDraft } from './storage.ts'

/** Conversations that send at the same time, well below the calls that the server lets one connection have in flight. */
const lanesMax = 8

export interface SenderOptions {
  client: ChatClient
  /** In whose name. */
  userId: string
  /** What could not be sent for so long fails with `timedOut`. */
  giveUpAfterMs: number
  /** Resolves when this sender alone may send, until the signal aborts. */
  lead(signal: AbortSignal): Promise<void>
  /** What is to be sent, sooner or later. */
  waiting(): Draft[]
  /** What can be sent now, in order. */
  next(): Draft[]
  /** From here on it may have been carried out. */
  onLeaving(draft: Draft): void
  /** The revision that a message has now that its edit can be made. */
  onRevision(draft: EditDraft, revision: number): void
  onSent(draft: Draft, message: Message): void
  /** It would fail again. */
  onFailed(draft: Draft, error: ChatError): void
}

/**
 * Sends what waits: one message or change at a time for each conversation, so that their order holds, each again and again
 * in a way that the server knows until it has taken or refused it.
 */
export const createSender = (options: SenderOptions) => {
  const { client, userId, giveUpAfterMs, waiting, onSent, onFailed } = options
  /** What is in flight for each conversation. */
  const lanes = new Map<string, string>()
  const over = new AbortController()
  const call = { as: userId, signal: over.signal }
  /** While it leads, or waits to. */
  let term: AbortController | null = null
  let isLeading = false
  /** What it waits after; null: it does not wait. */
  let refusal: ChatError | null = null
  let expiry: ReturnType<typeof setTimeout> | undefined

  const takeLead = async () => {
    const own = new AbortController()
    term = own
    try {
      await options.lead(own.signal)
      if (own.signal.aborted) return
      isLeading = true
      wake()
    } catch {
      // The storage cannot be had: each message says so itself.
      if (term === own) term = null
    }
  }
  const giveUpLead = () => {
    isLeading = false
    term?.abort()
    term = null
  }

  /** Sends what can be sent now. */
  const wake = () => {
    if (over.signal.aborted) return
    if (isLeading) expire()
    if (refusal || !isLive(client.state)) return
    if (!term) return void takeLead()
    if (!isLeading) return
    for (const draft of options.next()) {
      if (lanes.size >= lanesMax) return
      if (!lanes.has(draft.conversationId)) void deliver(draft)
    }
  }

  const expire = () => {
    clearTimeout(expiry)
    const now = Date.now()
    let nextMs = Number.POSITIVE_INFINITY
    for (const draft of waiting()) {
      if (isSending(draft.clientMessageId)) continue
      const leftMs = draft.queuedAt + giveUpAfterMs - now
      if (leftMs <= 0) onFailed(draft, new ChatError('timedOut'))
      else nextMs = Math.min(nextMs, leftMs)
    }
    if (nextMs < Number.POSITIVE_INFINITY) expiry = setTimeout(wake, Math.min(nextMs, timerMaxMs))
  }

  const deliver = async (draft: Draft) => {
    const { clientMessageId, conversationId } = draft
    lanes.set(conversationId, clientMessageId)
    try {
      const message = await carryOut(draft)
      retry.succeeded()
      if (message) onSent(draft, message)
    } catch (cause) {
      if (over.signal.aborted) return
      const error = asChatError(cause)
      // Another holder may be able to.
      if (error.kind === 'notSignedIn') giveUpLead()
      if (isToBeRepeated(cause)) wait(error)
      else onFailed(draft, error)
    } finally {
      lanes.delete(conversationId)
    }
    wake()
  }

  /** @returns the message as it is then; null: more is known of the draft now */
  const carryOut = async (draft: Draft): Promise<Message | null> => {
    if (draft.type === 'edit' && draft.revision === null) return readRevision(draft)
    options.onLeaving(draft)
    if (isMessageDraft(draft)) {
      const { conversationId: to, text, clientMessageId } = draft
      return client.sendMessage({ to, text, clientMessageId }, call)
    }
    const messageId = draft.messageId as string
    if (draft.type === 'delete') return client.deleteMessage({ messageId }, call)
    return client.editMessage({ messageId, text: draft.text, revision: draft.revision as number }, call)
  }

  const readRevision = async (draft: EditDraft): Promise<Message | null> => {
    const { conversationId, seq } = messagePlace(draft.messageId as string)
    const around = { conversation: conversationId, around: seq, limit: 1 }
    const { messages } = await client.history(around, call)
    const message = messages.find(({ id }) => id === draft.messageId)
    if (!message) throw new ChatError('unknownMessage')
    if (message.deletedAt) throw new ChatError('messageDeleted')
    // An attempt before this one has arrived.
    if (message.text === draft.text) return message
    options.onRevision(draft, message.revision)
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

  const isSending = (clientMessageId: string) => [...lanes.values()].includes(clientMessageId)

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
    currentLead: (): object | null => (isLeading ? term : null),
    close() {
      for (const end of unlisten) end()
      over.abort()
      giveUpLead()
      retry.stop()
      clearTimeout(expiry)
    },
  }
}
