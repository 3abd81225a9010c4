import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server'
import type { ParleyRouter } from '../../server/trpc/client-router.ts'

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
  signal?: AbortSignal
  /** How long to wait for the answer, connecting included, in milliseconds. Default: `callTimeoutMs` of the client. */
  timeoutMs?: number
}

/** @throws ChatError */
export type Call<Name extends CallName> = undefined extends Inputs[Name]
  ? (input?: Inputs[Name], options?: CallOptions) => Promise<Outputs[Name]>
  : (input: Inputs[Name], options?: CallOptions) => Promise<Outputs[Name]>

/** Every query and mutation of the contract, under its own name. */
export type Calls = { [Name in CallName]: Call<Name> }

type Kinds = { [Name in CallName]: Procedures[Name]['_def']['type'] }

/** The wire wants to know which of them only read. */
export const callKinds: Kinds = {
  register: 'mutation',
  login: 'mutation',
  logout: 'mutation',
  me: 'query',
  sendMessage: 'mutation',
  markRead: 'mutation',
  markDelivered: 'mutation',
  history: 'query',
  conversations: 'query',
  onlineUsers: 'query',
}

/** Whether the call may be sent again when the connection was lost before its answer: a repeat must change nothing. */
export const isRepeatable = (name: CallName, input: unknown): boolean => {
  if (callKinds[name] === 'query' || name === 'markRead' || name === 'markDelivered') return true
  return name === 'sendMessage' && typeof input === 'object' && input !== null && 'clientMessageId' in input
}
