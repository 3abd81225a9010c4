import { sessionEndedCode } from '../contract/protocol.ts'

/**
 * Why a socket was closed, as the client sees it. Up to 1015 the codes are those of RFC 6455, from 4000 on ours.
 *
 * | code | when | what a client does |
 * |---|---|---|
 * | 1000 | the client closed without a code | nothing |
 * | 1001 | the server is disposed of at once | reconnect |
 * | 1002 | malformed WebSocket frame (sent by `ws`) | mend the client |
 * | 1007 | what is not UTF-8 | mend the client |
 * | 1008 | too many entries in a batch, frames or fragments; malformed `connectionParams`; 30 s over its share | mend the client |
 * | 1009 | message over `maxFrameBytes` (sent by `ws`) | send less |
 * | 1011 | `createContext` failed for a reason of the server | reconnect, backing off |
 * | 1012 | the server drains | reconnect, at another node |
 * | 1013 | over a cap on sockets | reconnect later |
 * | 4401 | not or no longer signed in | sign in again |
 * | 4408 | no `connectionParams` or no sign-in in time | reconnect |
 *
 * A client that is cut (it took nothing, or did not answer a ping or a close) sees 1006, as no frame can reach it.
 */
export const closeCodes = {
  normal: 1000,
  goingAway: 1001,
  notUtf8: 1007,
  policyViolation: 1008,
  internalError: 1011,
  restarting: 1012,
  tryAgainLater: 1013,
  unauthorized: sessionEndedCode,
  signInTimeout: 4408,
} as const

/** A close reason travels in a control frame: at most 123 bytes of UTF-8, cut between characters. */
export const closeReason = (text: string): string => {
  if (Buffer.byteLength(text) <= 123) return text
  let reason = ''
  let bytes = 0
  for (const character of text) {
    bytes += Buffer.byteLength(character)
    if (bytes > 120) break
    reason += character
  }
  return `${reason}…`
}
