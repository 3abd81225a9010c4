import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server'
import type { ParleyRouter } from '../../../server/trpc/client-router.ts'
import { newClientMessageId } from './client-message-id.ts'

type Procedures = ParleyRouter['_def']['record']

/** What each procedure takes and gives, by its name. */
export type Inputs = inferRouterInputs<ParleyRouter>
export type Outputs = inferRouterOutputs<ParleyRouter>

type NamesOf<Kind> = {
  [Name in keyof Procedures]: Procedures[Name]['_def']['type'] extends Kind ? Name : never
}[keyof Procedures]

/** The procedures that answer once. */
export type CallName = NamesOf<'query' | 'mutation'>

export interface CallOptions {
  /** Gives up waiting; the server may carry the call out all the same. */
  signal?: AbortSignal | undefined
  /** Waits for the answer so long and no longer, connecting included, in milliseconds. Default: `callTimeoutMs` of the client. */
  timeoutMs?: number | undefined
  /**
   * Says it in the name of this user alone: it waits until it is known who is signed in.
   * @throws ChatError `notSignedIn` where that is nobody, or another
   */
  as?: string | undefined
}

/** @throws ChatError */
export type Call<Name extends CallName> = undefined extends Inputs[Name]
  ? (input?: Inputs[Name], options?: CallOptions) => Promise<Outputs[Name]>
  : (input: Inputs[Name], options?: CallOptions) => Promise<Outputs[Name]>

/** Every query and mutation of the contract, under its own name. */
export type Calls = { [Name in CallName]: Call<Name> }

/** The wire wants to know which of them only read. */
export const callKinds: { [Name in CallName]: Procedures[Name]['_def']['type'] } = {
  register: 'mutation',
  login: 'mutation',
  logout: 'mutation',
  me: 'query',
  updateProfile: 'mutation',
  sendMessage: 'mutation',
  editMessage: 'mutation',
  deleteMessage: 'mutation',
  messageVersions: 'query',
  markRead: 'mutation',
  markDelivered: 'mutation',
  history: 'query',
  conversations: 'query',
  onlineUsers: 'query',
}

export const callNames = Object.keys(callKinds) as CallName[]

/**
 * Whether it may be sent again when the connection was lost before its answer: a repeat changes nothing. The server knows
 * that of a message by its `clientMessageId`, and that of an edit by its revision and text.
 */
export const isRepeatable = (name: CallName): boolean => !['register', 'login', 'logout'].includes(name)

/**
 * What is sent for what the caller gave, whatever is made of that object later. A message that may be sent twice has a name
 * by which the server knows it.
 */
export const completeInput = (name: CallName, input: unknown): unknown => {
  if (name !== 'sendMessage') return typeof input === 'object' && !Array.isArray(input) ? { ...input } : input
  const draft = input as Inputs['sendMessage'] | undefined
  return { ...draft, clientMessageId: draft?.clientMessageId ?? newClientMessageId() }
}
