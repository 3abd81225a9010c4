import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'

const heldHere = new Set<string>()

/**
 * Makes this process the only one that holds `path`. The lock of a process that has died is taken over.
 * @returns gives it back
 * @throws Error when a living process holds it
 */
export const lockFile = async (path: string): Promise<() => Promise<void>> => {
  if (heldHere.has(path)) throw held(path, process.pid)
  heldHere.add(path)
  try {
    await take(path)
  } catch (error) {
    heldHere.delete(path)
    throw error
  }
  return async () => {
    await rm(path, { force: true })
    heldHere.delete(path)
  }
}

const held = (path: string, pid: number) =>
  new Error(`Process ${pid} holds ${path}; one process uses an outbox at a time.`)

const take = async (path: string) => {
  const own = `${process.pid} ${await startOf(process.pid)}`
  while (!(await linked(path, own))) {
    const text = await readFile(path, 'utf8').catch(() => '')
    const [pid, startedAt = ''] = text.split(' ')
    if (await isRunning(Number(pid), startedAt)) throw held(path, Number(pid))
    await removeStale(path, text)
  }
}

/** The file is there with its text or not at all. @returns false where there is one already */
const linked = async (path: string, text: string): Promise<boolean> => {
  const whole = `${path}.${randomUUID()}`
  await writeFile(whole, text, { mode: 0o600 })
  try {
    await link(whole, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    await rm(whole)
  }
}

/** Two that find the same dead holder must not remove each other's lock: what was not meant is put back. */
const removeStale = async (path: string, text: string) => {
  const aside = `${path}.${randomUUID()}`
  try {
    await rename(path, aside)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  if ((await readFile(aside, 'utf8')) !== text) await link(aside, path).catch(() => {})
  await rm(aside)
}

/** In a container a restarted process may well have the id of the one before it, and elsewhere anybody may by now. */
const isRunning = async (pid: number, startedAt: string): Promise<boolean> => {
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false
  }
  const start = await startOf(pid)
  return start === '' || startedAt === '' || start === startedAt
}

/** When a process was started, in ticks since the machine was; '' where the system does not say: it is not Linux. */
const startOf = async (pid: number): Promise<string> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // Behind the name, which may hold anything, stand the third and all further fields; it is the 22nd.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code
