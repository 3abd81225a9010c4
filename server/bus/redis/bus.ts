import type { Bus } from '../../domain/ports.ts'
import { createListeners } from '../listeners.ts'
import { readChange, writeChange } from './change-text.ts'
import type { NodeChannel } from './channel.ts'

const changeTopic = 'change'
const sessionTopic = 'sessionEnd'

/** The bus of many nodes: who listens here is told at once, who listens elsewhere by way of Redis. */
export const createRedisBus = (channel: NodeChannel): Bus => {
  const { tell, tellGap, tellSessionEnd, isAnybodyIn, listen, listenToAll, onSessionEnd } = createListeners()

  channel.on(changeTopic, (_node, { head: audience, body }) => {
    const change = isAnybodyIn(audience) ? readChange(body) : null
    if (change) tell(audience, change)
  })
  channel.on(sessionTopic, (_node, { head: tokenHash }) => tellSessionEnd(tokenHash))
  channel.onHole((_node, gap) => tellGap(gap))

  return {
    shared: true,
    whole: channel.whole,
    publish(audience, change) {
      tell(audience, change)
      channel.send(changeTopic, audience, writeChange(change))
    },
    listen,
    listenToAll,
    endSession(tokenHash) {
      tellSessionEnd(tokenHash)
      channel.send(sessionTopic, tokenHash, '')
    },
    onSessionEnd,
  }
}
