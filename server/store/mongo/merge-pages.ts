import type { Version } from '../../contract/index.ts'
import type { Change } from '../../domain/ports.ts'

/** What one source gives, by version, in pages that may be empty. */
export type Pages = AsyncIterator<Change[], void>

/** Reads on behind the last version of each page, until one is not full. */
export async function* pagesBehind<Row>(
  after: Version,
  limit: number,
  versionOf: (row: Row) => Version,
  read: (after: Version) => Promise<Row[]>,
): AsyncGenerator<Row[], void> {
  for (let from = after; ; ) {
    const rows = await read(from)
    yield rows
    const last = rows.at(-1)
    if (!last || rows.length < limit) return
    from = versionOf(last)
  }
}

/** The changes of all sources in one order of versions, in pages of `limit`; only the last may have fewer. */
export async function* mergePages(sources: Pages[], limit: number): AsyncGenerator<Change[], void> {
  const open = sources.map((pages) => ({ pages, waiting: [] as Change[], next: 0, isDone: false }))
  const isEmpty = ({ waiting, next }: (typeof open)[number]) => next >= waiting.length
  /** A source that has nothing waiting may have something earlier than all the others. */
  const refill = async (): Promise<void> => {
    const empty = open.filter((source) => isEmpty(source) && !source.isDone)
    if (empty.length === 0) return
    await Promise.all(
      empty.map(async (source) => {
        const { value, done } = await source.pages.next()
        Object.assign(source, { waiting: value ?? [], next: 0, isDone: done === true })
      }),
    )
    return refill()
  }
  const takeEarliest = (): Change | null => {
    let earliest: (typeof open)[number] | null = null
    for (const source of open) {
      if (isEmpty(source)) continue
      if (!earliest || versionAtFront(source) < versionAtFront(earliest)) earliest = source
    }
    return earliest ? (earliest.waiting[earliest.next++] as Change) : null
  }

  for (let page: Change[] = []; ; ) {
    await refill()
    const change = takeEarliest()
    if (change) page.push(change)
    if (page.length > 0 && (!change || page.length === limit)) {
      yield page
      page = []
    }
    if (!change) return
  }
}

const versionAtFront = ({ waiting, next }: { waiting: Change[]; next: number }): Version =>
  (waiting[next] as Change).version
