import { copyFile, type FileHandle, open, readFile, rename } from 'node:fs/promises'
import { resolve as absolute, dirname } from 'node:path'
import { lockFile } from './lock-file.ts'
import { alone, type Draft, type OpenOutboxStorage, type OutboxOwner } from './storage.ts'

type Line = { put: Draft } | { removed: string }
interface Change {
  line: Line
  resolve(): void
  reject(cause: unknown): void
}

/** So many lines that no longer count are kept before the file is written anew. */
const staleMax = 1_000

/**
 * In a file that survives the process and the machine: a first line that says whose it is, then a line of JSON for each
 * change, synced to disk; what is asked for while one is written goes into the next. One process holds it at a time.
 */
export const fileStorage =
  (path: string): OpenOutboxStorage =>
  async (owner) => {
    const file = absolute(path)
    const unlock = await lockFile(`${file}.lock`)
    try {
      const drafts = await read(file, owner)
      let handle = await rewrite(file, owner, drafts)
      let lines = 0
      let isTorn = false
      let closing: Promise<void> | null = null
      let waiting: Change[] = []
      let writing: Promise<void> | null = null

      const writeAll = async () => {
        while (waiting.length > 0) {
          const batch = waiting
          waiting = []
          try {
            await write(batch.map(({ line }) => line))
            for (const { resolve } of batch) resolve()
          } catch (cause) {
            isTorn = true
            for (const { reject } of batch) reject(cause)
          }
        }
        writing = null
      }
      const write = async (changes: Line[]) => {
        if (isTorn || lines > drafts.size + staleMax) {
          await handle.close()
          handle = await rewrite(file, owner, drafts)
          lines = 0
          isTorn = false
        }
        await handle.appendFile(changes.map((line) => `${JSON.stringify(line)}\n`).join(''))
        await handle.datasync()
        for (const line of changes) apply(line, drafts)
        lines += changes.length
      }
      const change = (line: Line) =>
        new Promise<void>((resolve, reject) => {
          // The file may be another holder's by now.
          if (closing) return reject(new Error(`${file} is closed.`))
          waiting.push({ line, resolve, reject })
          writing ??= writeAll()
        })

      const end = async () => {
        await writing
        await handle.close()
        await unlock()
      }

      return {
        ...alone,
        read: async () => [...drafts.values()],
        put: (draft) => change({ put: draft }),
        remove: (clientMessageId) => change({ removed: clientMessageId }),
        close: () => (closing ??= end()),
      }
    } catch (error) {
      await unlock()
      throw error
    }
  }

const apply = (line: Line, drafts: Map<string, Draft>) => {
  if ('put' in line) drafts.set(line.put.clientMessageId, line.put)
  else drafts.delete(line.removed)
}

const read = async (file: string, { url, userId }: OutboxOwner): Promise<Map<string, Draft>> => {
  const drafts = new Map<string, Draft>()
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  // What stands behind the last line break was being written when the process ended: nobody was told that it is kept.
  const [head, ...lines] = text.split('\n').slice(0, -1)
  if (head === undefined) return drafts
  const known = ownerOf(head)
  if (known === null) throw new Error(`${file} is not an outbox; name another file, or move this one away.`)
  if (known.url !== url || known.userId !== userId) {
    throw new Error(
      `${file} is the outbox of ${known.userId} at ${known.url}; each user and server has a file of its own.`,
    )
  }
  const damaged = lines.filter((line) => !applied(line, drafts))
  if (damaged.length > 0) await keepDamaged(file, damaged.length)
  return drafts
}

const applied = (line: string, drafts: Map<string, Draft>): boolean => {
  try {
    apply(JSON.parse(line) as Line, drafts)
    return true
  } catch {
    return false
  }
}

/** One line that a disk has lost must not keep all others from being sent. */
const keepDamaged = async (file: string, count: number) => {
  const copy = `${file}.damaged-${Date.now()}`
  await copyFile(file, copy)
  process.emitWarning(
    `${count} of the lines in ${file} cannot be read and are passed over; the file as it was is kept as ${copy}.`,
    'ParleyOutboxWarning',
  )
}

const format = 'parley outbox 1'

const ownerOf = (head: string): OutboxOwner | null => {
  try {
    const { format: found, url, userId } = JSON.parse(head)
    return found === format ? { url, userId } : null
  } catch {
    return null
  }
}

/** Replaces the file as a whole: whoever reads it finds the old or the new one. @returns it, to append to */
const rewrite = async (file: string, { url, userId }: OutboxOwner, drafts: Map<string, Draft>): Promise<FileHandle> => {
  const lines = [{ format, url, userId }, ...Array.from(drafts.values(), (put) => ({ put }))]
  const next = `${file}.new`
  const handle = await open(next, 'w', 0o600)
  try {
    await handle.writeFile(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    await handle.sync()
    await rename(next, file)
    await syncDirectory(dirname(file))
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Without it, a machine that loses its power may come back with the file from before. Windows has no such thing. */
const syncDirectory = async (path: string) => {
  if (process.platform === 'win32') return
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
