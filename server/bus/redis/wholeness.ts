import type { Clock, Log } from '../../domain/ports.ts'

/** Whether all nodes are heard, this one among them: judged when something may have changed it, and remembered. */
export const createWholeness = ({
  node,
  clock,
  log,
  isEverybodyHeard,
}: {
  node: string
  clock: Clock
  log: Log
  isEverybodyHeard(): boolean
}) => {
  let isWhole = false
  let isClosed = false
  let onWhole = () => {}

  return {
    isWhole: () => isWhole,
    judge() {
      const was = isWhole
      isWhole = isEverybodyHeard()
      if (was && !isWhole && !isClosed)
        log.warn({ node }, 'some nodes are not heard; their news are read from the store')
      if (was || !isWhole) return
      log.info({ node }, 'all nodes are heard')
      onWhole()
    },
    /** Resolves once it is whole, or after `ms`. */
    wait: (ms: number) =>
      new Promise<void>((resolve) => {
        if (isWhole) return resolve()
        const timer = clock.setTimeout(resolve, ms)
        onWhole = () => {
          timer.cancel()
          onWhole = () => {}
          resolve()
        }
      }),
    /** This node stops: that it hears nobody any more is no news. */
    close() {
      isClosed = true
    },
  }
}
