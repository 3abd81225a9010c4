import { parseArgs } from 'node:util'
import type { Archive, UnfinishedArchive } from './domain/archive.ts'
import { type MoveProgress, moveArchive } from './domain/move-archive.ts'
import type { Log } from './domain/ports.ts'
import { openMongoArchive, openUnfinishedMongoArchive } from './store/mongo/archive.ts'
import { openSqliteArchive, openUnfinishedSqliteArchive } from './store/sqlite/archive.ts'

const usage = `Moves a store from the embedded one to MongoDB, or back:

  npm run migrate -- --from ./data --to mongodb://127.0.0.1:27017/parley
  npm run migrate -- --from MONGODB_URI --to ./data

Each is a directory, a MongoDB URI, or the word MONGODB_URI for what the environment says (a password on a command line can
be read by others on this machine). Stop all servers first. The source stays as it is. What was interrupted goes on where it
was when it is run again.`

const say = (line: string) => process.stdout.write(`${line}\n`)
const print = (_: object, words: string) => say(words)
const log: Log = { debug() {}, info: print, warn: print, error: print }

const isUri = (place: string) => /^mongodb(\+srv)?:/.test(place)
const named = (place: string | undefined): string => {
  if (place !== 'MONGODB_URI') return place ?? ''
  if (!process.env.MONGODB_URI) throw new Error('The environment has no MONGODB_URI.')
  return process.env.MONGODB_URI
}

const readArguments = (): { from: string; to: string } => {
  try {
    const { from, to } = parseArgs({ options: { from: { type: 'string' }, to: { type: 'string' } } }).values
    if (from && to) return { from: named(from), to: named(to) }
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${usage}`)
  }
  throw new Error(usage)
}

const openSource = (place: string): Promise<Archive> =>
  isUri(place) ? openMongoArchive(place, log) : openSqliteArchive(place)
const openTarget = (place: string, storeId: string): Promise<UnfinishedArchive> =>
  isUri(place) ? openUnfinishedMongoArchive(place, storeId, log) : openUnfinishedSqliteArchive(place, storeId)

/** A line each second, and at the beginning and the end of each section. */
const createTeller = () => {
  let saidAt = 0
  let saidOf = ''
  return ({ step, section, done, total }: MoveProgress) => {
    if (Date.now() - saidAt < 1_000 && saidOf === `${step} ${section}` && done < total) return
    saidAt = Date.now()
    saidOf = `${step} ${section}`
    say(`${step} ${section}: ${done.toLocaleString('en')} of ${Math.max(done, total).toLocaleString('en')}`)
  }
}

const run = async () => {
  const { from, to } = readArguments()
  await using source = await openSource(from)
  await using target = await openTarget(to, source.storeId)
  if (target.progress) say(`going on behind what was copied before, in ${target.progress.section}`)
  const { counts } = await moveArchive(source, target, createTeller())
  const all = Object.entries(counts).map(([section, count]) => `${count.toLocaleString('en')} ${section}`)
  say(`copied and compared: ${all.join(', ')}; every row is the same`)
  say(
    isUri(to) ? 'Set MONGODB_URI to the target and start.' : 'Unset MONGODB_URI, set DATA_DIR to the target and start.',
  )
}

run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
