import { createHash } from 'node:crypto'
import { type Archive, firstKey, type Key, keyOf, type Section, sections, type UnfinishedArchive } from './archive.ts'

const pageSize = 1_000

export interface MoveProgress {
  step: 'copying' | 'comparing'
  section: Section
  done: number
  total: number
}

export interface Moved {
  /** Rows by section. */
  counts: Record<Section, number>
  /** It was taken up where an earlier run ended. */
  resumed: boolean
}

/**
 * Copies all from one store to another, from where an earlier run ended, and compares both at the end, each row of them.
 * @throws Error in plain words where they differ
 */
export const moveArchive = async (
  from: Archive,
  to: UnfinishedArchive,
  tell: (progress: MoveProgress) => void,
): Promise<Moved> => {
  const begun = to.progress
  const resumed = begun !== null
  for (const section of sections) {
    if (begun && sections.indexOf(section) < sections.indexOf(begun.section)) continue
    await copy(from, to, section, begun?.section === section ? begun.upTo : firstKey, tell)
  }
  const counts = {} as Record<Section, number>
  for (const section of sections) {
    const [here, there] = [await digest(from, section, tell), await digest(to, section, tell)]
    if (here.count !== there.count || here.hash !== there.hash)
      throw new Error(
        `The ${section} differ after the copy: ${here.count} (${here.hash}) there, ${there.count} (${there.hash}) here. ` +
          'Did something write to the source meanwhile? Stop it, empty the target and begin anew.',
      )
    counts[section] = here.count
  }
  await to.finish()
  return { counts, resumed }
}

const copy = async (
  from: Archive,
  to: UnfinishedArchive,
  section: Section,
  start: Key,
  tell: (progress: MoveProgress) => void,
): Promise<void> => {
  const total = await from.count(section)
  let done = start === firstKey ? 0 : await to.count(section)
  for (let after = start; ; ) {
    const rows = await from.read(section, after, pageSize)
    const last = rows.at(-1)
    if (!last) return
    await to.write(section, rows)
    after = keyOf(section, last)
    done += rows.length
    tell({ step: 'copying', section, done, total })
  }
}

/** SHA-256 of all rows in the order of their keys. */
const digest = async (
  archive: Archive,
  section: Section,
  tell: (progress: MoveProgress) => void,
): Promise<{ count: number; hash: string }> => {
  const hash = createHash('sha256')
  const total = await archive.count(section)
  let count = 0
  for (let after = firstKey; ; ) {
    const rows = await archive.read(section, after, pageSize)
    const last = rows.at(-1)
    if (!last) return { count, hash: hash.digest('hex') }
    for (const row of rows) hash.update(`${JSON.stringify(row)}\n`)
    count += rows.length
    after = keyOf(section, last)
    tell({ step: 'comparing', section, done: count, total })
  }
}
