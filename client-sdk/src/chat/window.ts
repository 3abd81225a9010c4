import { type ChatMessage, latest } from './message.ts'

/** Messages in order of `seq`, with these in their places, unless a later state stands there. */
export const withStates = (
  messages: readonly ChatMessage[],
  states: readonly ChatMessage[],
): readonly ChatMessage[] => {
  if (states.length === 0) return messages
  const seqs = states.map(({ seq }) => Number(seq))
  const from = firstFrom(messages, Math.min(...seqs))
  const to = firstFrom(messages, Math.max(...seqs) + 1)
  const between = new Map(messages.slice(from, to).map((message) => [message.seq, message]))
  for (const state of states) between.set(state.seq, latest(between.get(state.seq), state))
  const sorted = [...between.values()].sort((a, b) => Number(a.seq) - Number(b.seq))
  return [...messages.slice(0, from), ...sorted, ...messages.slice(to)]
}

/** The index of the first one with this number or a later one. */
const firstFrom = (messages: readonly ChatMessage[], least: number): number => {
  let [low, high] = [0, messages.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (Number(messages[middle]?.seq) < least) low = middle + 1
    else high = middle
  }
  return low
}
