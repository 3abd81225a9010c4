import { link, readFile, rm, writeFile } from 'node:fs/promises'

const heldHere = new Set<string>()

/**
 * Makes this process the only one that holds `path`. The lock of a process that has died is taken over.
 * @returns gives it back
 * @throws Error when a living process holds it
 */
export const lockFile = async (path: string): Promise<() => Promise<void>> => {
  for (;;) {
    try {
      await linkFile(path, String(process.pid))
      heldHere.add(path)
      return async () => {
        heldHere.delete(path)
        await rm(path, { force: true })
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const holder = Number(await readFile(path, 'utf8').catch(() => ''))
    if (isHeld(path, holder)) throw new Error(`Process ${holder} holds ${path}; one process uses an outbox at a time.`)
    await rm(path, { force: true })
  }
}

/** The file is there with its text or not at all. @throws `EEXIST` */
const linkFile = async (path: string, text: string) => {
  const whole = `${path}.${process.pid}`
  await writeFile(whole, text, { mode: 0o600 })
  try {
    await link(whole, path)
  } finally {
    await rm(whole)
  }
}

/** In a container a restarted process may well have the id of the one before it. */
const isHeld = (path: string, holder: number): boolean => {
  if (holder === process.pid) return heldHere.has(path)
  if (!Number.isSafeInteger(holder) || holder <= 0) return false
  try {
    process.kill(holder, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
