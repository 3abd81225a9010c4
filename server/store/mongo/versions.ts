import type { Version } from '../../contract/index.ts'
import { versionAt } from '../../domain/version-time.ts'

/** Of what a version is beyond a time, the lower 6 bits are the node's, and the upper 6 a counter. */
export const nodesMax = 64

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
      const slot = Math.max(versionAt(now()) / nodesMax, Math.floor(newest / nodesMax) + 1)
      newest = slot * nodesMax + nodeNumber()
      return newest
    },
    saw(version) {
      newest = Math.max(newest, version)
    },
  }
}
