import type { Version } from '../../contract/index.ts'

/** A version is a time and who gave it: 41 bits of milliseconds since 2020 (until 2089), 6 of a counter, 6 of the node. */
const epochMs = Date.UTC(2020, 0, 1)
const countsPerMs = 64
export const nodesMax = 64

export const versionsPerMs = countsPerMs * nodesMax

/**
 * Hybrid time: at least this node's clock, and more than any version it has given or seen. So a version is never given
 * twice, and what is written in the knowledge of something has a higher one, whatever the clocks say.
 */
export interface Versions {
  next(): Version
  /** Somebody else gave this one. */
  saw(version: Version): void
}

export const createVersions = (nodeNumber: () => number, now: () => number): Versions => {
  let newest = 0
  return {
    next() {
      const slot = Math.max((now() - epochMs) * countsPerMs, Math.floor(newest / nodesMax) + 1)
      newest = slot * nodesMax + nodeNumber()
      return newest
    },
    saw(version) {
      newest = Math.max(newest, version)
    },
  }
}
