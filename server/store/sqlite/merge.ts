import type { Line } from './lines.ts'

const headOf = ({ versions }: Line): number => versions[0] as number
const byHead = (a: Line, b: Line): number => headOf(a) - headOf(b)
const isKnown = ({ next, to, versions }: Line): boolean => next + versions.length > to

/**
 * The versions at which the messages of many lines were sent, in order: each call takes the next ones. Only the lines that
 * can be on a page are looked at for it: those whose heads are the smallest.
 */
export const createMerge = (lines: Line[], lookAhead: (lines: Line[]) => Promise<void>) => {
  /** By head; none is empty. */
  let rest = lines.toSorted(byHead)

  return {
    /** The next at most `count` versions; fewer mean that there are no more. */
    async next(count: number): Promise<number[]> {
      const taken: number[] = []
      while (taken.length < count && rest.length > 0) {
        const wanted = count - taken.length
        const candidates = rest.slice(0, wanted)
        rest = rest.slice(wanted)
        await lookAhead(candidates.filter((line) => line.versions.length === 1 && !isKnown(line)))
        // Above this others may come in between: of lines that are no candidates, or are not known that far.
        const ceiling = Math.min(
          rest[0] ? headOf(rest[0]) : Number.POSITIVE_INFINITY,
          ...candidates.map((line) => (isKnown(line) ? Number.POSITIVE_INFINITY : (line.versions.at(-1) as number))),
        )
        const last = candidates
          .flatMap(({ versions }) => versions)
          .filter((version) => version <= ceiling)
          .sort((a, b) => a - b)
          .slice(0, wanted)
          .at(-1) as number
        for (const line of candidates) taken.push(...takeUpTo(line, last))
        await lookAhead(candidates.filter((line) => line.versions.length === 0 && !isKnown(line)))
        // Two sorted runs, which are merged in one pass.
        rest = [...candidates.filter(({ versions }) => versions.length > 0).sort(byHead), ...rest].sort(byHead)
      }
      return taken.sort((a, b) => a - b)
    },
  }
}

const takeUpTo = (line: Line, version: number): number[] => {
  const end = line.versions.findIndex((next) => next > version)
  const taken = line.versions.splice(0, end === -1 ? line.versions.length : end)
  line.next += taken.length
  return taken
}
