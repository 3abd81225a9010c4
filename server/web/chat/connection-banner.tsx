import type { ChatClient, ClientState } from '@parley/client'
import { useClientState, useOutbox } from '@parley/client/react'
import { useEffect, useState } from 'react'
import { countedWords } from './unsent.ts'

/** What passes sooner is not worth a word. */
const settleMs = 600

/** Says what keeps messages from coming and going, for as long as it does. */
export const ConnectionBanner = ({ client }: { client: ChatClient }) => {
  const state = useClientState()
  const waiting = useOutbox().outgoing.filter(({ status }) => status === 'sending')
  const isShown = useSettled(state.status !== 'live' && state.status !== 'idle')
  useRetryWhenBack(client)
  return (
    <div className="connection" data-status={isShown ? state.status : undefined}>
      <p role="status">
        {isShown && wordsOf(state)}
        {isShown &&
          waiting.length > 0 &&
          ` ${countedWords(waiting)} ${waiting.length === 1 ? 'waits' : 'wait'} to be sent.`}
      </p>
      {isShown && state.status === 'offline' && (
        <>
          {/* It would be read out each second. */}
          <span aria-hidden="true" className="facts">
            <Countdown until={state.retryAt} />
          </span>
          <button type="button" className="small" onClick={client.retryNow}>
            Try now
          </button>
        </>
      )}
    </div>
  )
}

const wordsOf = ({ status }: ClientState): string => {
  if (status === 'offline') return 'No connection.'
  if (status === 'catchingUp') return 'Fetching what you missed…'
  return 'Connecting…'
}

const Countdown = ({ until }: { until: Date }) => {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const interval = setInterval(() => setNow(Date.now()), 500)
    return () => clearInterval(interval)
  }, [])
  return <>Next attempt in {Math.max(0, Math.ceil((until.getTime() - now) / 1_000))} s</>
}

const useSettled = (isTrue: boolean): boolean => {
  const [isSettled, setIsSettled] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setIsSettled(isTrue), isTrue ? settleMs : 0)
    return () => clearTimeout(timer)
  }, [isTrue])
  return isTrue && isSettled
}

/** When there is a network again, or somebody looks again, nobody should wait for the next attempt. */
const useRetryWhenBack = (client: ChatClient) =>
  useEffect(() => {
    const over = new AbortController()
    const { signal } = over
    addEventListener('online', client.retryNow, { signal })
    const onVisible = () => {
      if (document.visibilityState === 'visible') client.retryNow()
    }
    document.addEventListener('visibilitychange', onVisible, { signal })
    return () => over.abort()
  }, [client])
