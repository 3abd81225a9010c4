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
  /** How long to wait for the answer, connecting included, in milliseconds. Default: `callTimeoutMs` of the client. */
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

interface Rule<Name extends CallName> {
  /** The wire wants to know which of them only read. */
  kind: Procedures[Name]['_def']['type']
  /** It may be sent again when the connection was lost before its answer: a repeat changes nothing. */
  repeatable: boolean
}

export const callRules: { [Name in CallName]: Rule<Name> } = {
  register: { kind: 'mutation', repeatable: false },
  login: { kind: 'mutation', repeatable: false },
  logout: { kind: 'mutation', repeatable: false },
  me: { kind: 'query', repeatable: true },
  updateProfile: { kind: 'mutation', repeatable: true },
  // By its `clientMessageId`, which every message gets.
  sendMessage: { kind: 'mutation', repeatable: true },
  // By its revision and text.
  editMessage: { kind: 'mutation', repeatable: true },
  deleteMessage: { kind: 'mutation', repeatable: true },
  messageVersions: { kind: 'query', repeatable: true },
  markRead: { kind: 'mutation', repeatable: true },
  markDelivered: { kind: 'mutation', repeatable: true },
  history: { kind: 'query', repeatable: true },
  conversations: { kind: 'query', repeatable: true },
  onlineUsers: { kind: 'query', repeatable: true },
}

export const callNames = Object.keys(callRules) as CallName[]

/** What is sent for what the caller gave. A message that may be sent twice has a name by which the server knows it. */
export const completeInput = (name: CallName, input: unknown): unknown => {
  if (name !== 'sendMessage') return input
  const draft = input as Inputs['sendMessage'] | undefined
  return { ...draft, clientMessageId: draft?.clientMessageId ?? newClientMessageId() }
}
