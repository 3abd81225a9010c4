import { type ChatMessage, latest } from './message.ts'

/** Messages in order of `seq`, with these in their places, unless a later state stands there. */
export const withStates = (
  messages: readonly ChatMessage[],
  states: readonly ChatMessage[],
): readonly ChatMessage[] => {
  if (states.length === 0) return messages
  const seqs = states.map(({ seq }) => Number(seq))
  const [least, most] = [Math.min(...seqs), Math.max(...seqs)]
  // From the end: most of what comes is new.
  const from = messages.findLastIndex(({ seq }) => Number(seq) < least) + 1
  const to = messages.findLastIndex(({ seq }) => Number(seq) <= most) + 1
  const between = new Map(messages.slice(from, to).map((message) => [message.seq, message]))
  for (const state of states) between.set(state.seq, latest(between.get(state.seq), state))
  const sorted = [...between.values()].sort((a, b) => Number(a.seq) - Number(b.seq))
  return [...messages.slice(0, from), ...sorted, ...messages.slice(to)]
}
