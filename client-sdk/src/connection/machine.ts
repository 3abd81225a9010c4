import { ChatError } from '../../../server/contract/chat-error.ts'
import { sessionEndedCode } from '../../../server/contract/protocol.ts'

// The connection's states, what happens to it, and what follows: as a table in transitions.md, which a test walks row by row.
// Whoever is told of a state may do anything, such as close: it is the last effect of a step.

export type Phase =
  /** Nothing asked for a connection. */
  | 'idle'
  /** The token is being asked for. */
  | 'asking'
  /** A socket is being opened. */
  | 'opening'
  /** It is open, and may be somebody else's than the one before: the server is asked whose it is, and nothing else is said. */
  | 'checking'
  /** Everything is being said on it; no answer has come yet. */
  | 'proving'
  /** The server has answered. */
  | 'live'
  /** As live, but nothing new is said: another transport takes over when the last answers have come. */
  | 'moving'
  /** Lost; it is tried again by itself. */
  | 'offline'
  /** The session has ended, and no good one could be had. */
  | 'signedOut'
  | 'closed'

/** Why a token is asked for: `ended` when the one before is no longer good. */
export type TokenReason = 'connect' | 'ended'

/** What the end of a connection means for what was sent on it and has no answer. */
export type Loss =
  /** The server let nobody in: nothing was carried out. */
  | 'notDone'
  | 'maybeDone'
  /** The server closed because of what was sent; it would do so again. */
  | 'atFault'
  /** No connection follows by itself. */
  | 'forGood'

/** Why there is no connection, and what that means for what was said on the last one. */
export interface Lost {
  readonly error: ChatError
  readonly loss: Loss
}

export interface Machine {
  readonly phase: Phase
  /** Attempts in a row that brought no answer, this one included. */
  readonly attempt: number
  readonly reason: TokenReason
  /** In a row: the token, and the one that was given for it. */
  readonly refusedTokens: number
  /** The session's; null: nobody is signed in. */
  readonly token: string | null
  /** Who the server said the session is, and by which token. One user's until she is signed out, by whichever tokens. */
  readonly owner: { readonly token: string; readonly userId: string } | null
  /** `register` or `login` is under way, on a connection that is nobody's yet. */
  readonly isSigningIn: boolean
  /** By herself: no token is asked for before she signs in again. */
  readonly isLoggedOut: boolean
  /** Each connection may come with another token. */
  readonly tokensVary: boolean
  /** The last one. */
  readonly lost: Lost | null
}

export type ConnectionEvent =
  /** Somebody wants a connection. */
  | { type: 'connect' }
  /** The time to try again has come, or somebody does not want to wait for it. */
  | { type: 'retry' }
  /** @param token null: there is none */
  | { type: 'token'; token: string | null }
  /** There is no token, or no socket. */
  | { type: 'notOpened'; error: ChatError }
  | { type: 'opened' }
  /** The server has answered something other than whose this is. @param isError it says nothing of the token */
  | { type: 'answered'; isError: boolean }
  /** The server says whose this connection is. */
  | { type: 'owner'; userId: string }
  /** The server does not say whose this connection is. */
  | { type: 'ownerRefused'; error: ChatError }
  /** The server says that this connection can do nothing. */
  | { type: 'refused'; error: ChatError }
  | { type: 'closedByServer'; code: number; reason: string }
  /** What came cannot be read, or the server goes and no answer is missing. */
  | { type: 'lost'; error: ChatError }
  /** Another transport is the better one by now. */
  | { type: 'move' }
  /** To another connection at once: what was said on this one may have been carried out all the same. */
  | { type: 'renew'; error: ChatError }
  /** @param isUnderWay false: it has failed */
  | { type: 'signIn'; isUnderWay: boolean }
  | { type: 'signedIn'; token: string; userId: string }
  | { type: 'signOut' }
  | { type: 'close' }

export type Effect =
  | 'askToken'
  | 'openSocket'
  /** The first thing that is said on a socket. */
  | 'sayToken'
  | 'askOwner'
  /** What is to be said in somebody's name waits for it. */
  | 'askOwnerLater'
  /** Everything that waits or was open is said anew; where that is nothing, whose this is is asked, to bring an answer. */
  | 'sayAnew'
  /** What must not be said twice, or in another's name, may be said now. */
  | 'sayRest'
  | 'dropSocket'
  /** Those who wait for answers are told that it was lost. */
  | 'tellLost'
  | 'retryLater'
  /** When the last answers have come, or some seconds have passed, it is `renew`. */
  | 'waitForLastAnswers'
  | 'tellState'
  | 'tellSignIn'

export type Step = readonly [next: Machine, effects: readonly Effect[]]

/** Malformed frame, not UTF-8, against the rules, too large. */
const atFaultCodes = [1002, 1007, 1008, 1009]
const refusedTokensMax = 2

export const initialMachine = (token: string | null, tokensVary: boolean): Machine => ({
  phase: 'idle',
  attempt: 0,
  reason: 'connect',
  refusedTokens: 0,
  token,
  owner: null,
  isSigningIn: false,
  isLoggedOut: false,
  tokensVary,
  lost: null,
})

/** Who is signed in. Null: nobody; undefined: the server has not said yet whose this token is. */
export const signedInAs = ({ token, owner }: Machine): string | null | undefined => {
  if (token === null) return null
  return token === owner?.token ? owner.userId : undefined
}

type EventOf<Type> = Extract<ConnectionEvent, { type: Type }>

/** In which phases each event counts, and what it does there. */
type Transitions = {
  [Type in ConnectionEvent['type']]: readonly [readonly Phase[], (machine: Machine, event: EventOf<Type>) => Step]
}

/** Pure: the same state and event give the same next state and effects. What changes nothing has no effects. */
export const next = (machine: Machine, event: ConnectionEvent): Step => {
  const [phases, step] = transitions[event.type]
  return phases.includes(machine.phase) ? step(machine, event as never) : [machine, []]
}

const connect = (machine: Machine): Step => [
  {
    ...machine,
    phase: 'asking',
    attempt: machine.attempt + 1,
    token: machine.reason === 'ended' ? null : machine.token,
  },
  ['askToken', 'tellState'],
]

const takeToken = (machine: Machine, { token: given }: EventOf<'token'>): Step => {
  // Whoever signs in does so on a connection that is nobody's yet.
  const token = machine.isSigningIn ? machine.token : (given ?? machine.token)
  if (token === null && machine.reason === 'ended') return signOut(machine, new ChatError('sessionEnded'))
  return [{ ...machine, phase: 'opening', reason: 'connect', token }, ['openSocket']]
}

const open = (machine: Machine): Step => {
  const isUnknown = signedInAs(machine) === undefined
  // Nothing may be said to, or heard from, a session that may be somebody else's than the one before or after.
  if (isUnknown && machine.tokensVary) return [{ ...machine, phase: 'checking' }, ['sayToken', 'askOwner']]
  return [{ ...machine, phase: 'proving' }, isUnknown ? ['sayToken', 'askOwner', 'sayAnew'] : ['sayToken', 'sayAnew']]
}

/** The server has taken this token. */
const accepted = (machine: Machine): Machine => ({ ...machine, attempt: 0, refusedTokens: 0 })

const takeAnswer = (machine: Machine, { isError }: EventOf<'answered'>): Step =>
  prove(isError ? machine : accepted(machine))

/** An answer has come: what travels here arrives. */
const prove = (machine: Machine): Step =>
  machine.phase === 'proving' ? [{ ...machine, phase: 'live' }, ['sayRest', 'tellState']] : [machine, []]

const takeOwner = (asked: Machine, { userId }: EventOf<'owner'>): Step => {
  const machine = accepted(asked)
  const { phase, token, owner } = machine
  if (token !== null && owner && owner.userId !== userId) {
    const message = `The token is one of ${userId}; this client is ${owner.userId}’s until she is signed out.`
    return signOut(machine, new ChatError('sessionEnded', { message }))
  }
  const known: Machine = token === null ? machine : { ...machine, owner: { token, userId } }
  if (phase === 'checking') return [{ ...known, phase: 'live' }, ['sayAnew', 'sayRest', 'tellState']]
  return phase === 'live' ? [known, ['sayRest']] : prove(known)
}

const takeNoOwner = (machine: Machine, { error }: EventOf<'ownerRefused'>): Step => {
  if (machine.phase === 'checking') return lose(machine, error, 'notDone')
  const [proven, effects] = prove(machine)
  return proven.phase === 'live' && signedInAs(proven) === undefined
    ? [proven, ['askOwnerLater', ...effects]]
    : [proven, effects]
}

/** An error without a call is said before all answers when the server lets this connection do nothing. */
const takeRefusal = (machine: Machine, { error }: EventOf<'refused'>): Step => {
  if (error.kind === 'sessionEnded') return endSession(machine, error, 'notDone')
  return error.retryable ? lose(machine, error, 'notDone') : [machine, []]
}

const takeClose = (machine: Machine, { code, reason }: EventOf<'closedByServer'>): Step => {
  const facts = { message: reason || `The connection was closed (${code})` }
  if (code === sessionEndedCode) return endSession(machine, new ChatError('sessionEnded', facts), 'maybeDone')
  if (!atFaultCodes.includes(code)) return lose(machine, new ChatError('connectionLost', facts), 'maybeDone')
  return lose(machine, new ChatError(code === 1009 ? 'tooLarge' : 'badRequest', facts), 'atFault')
}

const endSession = (machine: Machine, error: ChatError, loss: Loss): Step => {
  const refusedTokens = machine.refusedTokens + 1
  if (refusedTokens >= refusedTokensMax) return signOut(machine, error)
  return lose({ ...machine, refusedTokens, reason: 'ended' }, error, loss)
}

const end = (machine: Machine, phase: Phase, error: ChatError, loss: Loss, ...then: Effect[]): Step => [
  { ...machine, phase, lost: { error, loss } },
  [...(withSocket.includes(machine.phase) ? (['dropSocket'] as const) : []), 'tellLost', ...then],
]

const lose = (machine: Machine, error: ChatError, loss: Loss): Step =>
  end(machine, 'offline', error, loss, 'retryLater', 'tellState')

const renew = (machine: Machine, { error }: EventOf<'renew'>): Step => {
  const [lost, effects] = end(machine, 'offline', error, 'maybeDone')
  const [asking, more] = connect({ ...lost, attempt: 0 })
  return [asking, [...effects, ...more]]
}

const takeSignIn = (machine: Machine, { token, userId }: EventOf<'signedIn'>): Step => [
  { ...machine, token, owner: { token, userId }, isSigningIn: false, isLoggedOut: false },
  machine.phase === 'live' || machine.phase === 'moving' ? ['tellSignIn'] : [],
]

const signOut = (machine: Machine, error: ChatError): Step => {
  const { isSigningIn, isLoggedOut, tokensVary } = machine
  const nobodys = { ...initialMachine(null, tokensVary), phase: machine.phase, isSigningIn, isLoggedOut }
  return end(nobodys, 'signedOut', error, 'forGood', 'tellState')
}

const withSocket: readonly Phase[] = ['opening', 'checking', 'proving', 'live', 'moving']
const notClosed: readonly Phase[] = ['idle', 'asking', ...withSocket, 'offline', 'signedOut']

const transitions: Transitions = {
  connect: [['idle', 'signedOut'], connect],
  retry: [['offline'], connect],
  token: [['asking'], takeToken],
  notOpened: [['asking', ...withSocket], (machine, { error }) => lose(machine, error, 'notDone')],
  opened: [['opening'], open],
  answered: [withSocket, takeAnswer],
  owner: [withSocket, takeOwner],
  ownerRefused: [withSocket, takeNoOwner],
  refused: [withSocket, takeRefusal],
  closedByServer: [withSocket, takeClose],
  lost: [withSocket, (machine, { error }) => lose(machine, error, 'maybeDone')],
  move: [['live'], (machine) => [{ ...machine, phase: 'moving' }, ['waitForLastAnswers']]],
  renew: [withSocket, renew],
  signIn: [notClosed, (machine, { isUnderWay }) => [{ ...machine, isSigningIn: isUnderWay }, []]],
  signedIn: [notClosed, takeSignIn],
  signOut: [notClosed, (machine) => signOut({ ...machine, isLoggedOut: true }, new ChatError('sessionEnded'))],
  close: [notClosed, (machine) => end(machine, 'closed', new ChatError('closed'), 'forGood', 'tellState')],
}
