import { randomUUID } from 'node:crypto'
import { type Connection, mongo } from 'mongoose'
import type { Log } from '../../domain/ports.ts'
import { isDuplicate } from './errors.ts'
import { patiently } from './patiently.ts'
import { collectionNames, type Models, native, type SchemaDocument } from './schema.ts'
import { schemaVersion, upgrade } from './upgrade.ts'

/**
 * Makes the collections and the indices that are missing; what is there costs a look. Building an index over many
 * documents takes long, so that on a big database they are better built by hand before a new version starts.
 * @param copyOf the id of the store that is to be copied here
 * @throws Error in plain words: a newer Parley wrote the database, or something else did, or it is not what was asked for
 */
export const prepare = async (
  connection: Connection,
  models: Models,
  log: Log,
  copyOf: string | null = null,
): Promise<void> => {
  const existing = new Set((await connection.listCollections()).map(({ name }) => name))
  const known = existing.has('meta') ? await models.meta.findById('schema', null, { lean: true }) : null
  if (known && known.version > schemaVersion)
    throw new Error(
      `The database ${connection.name} has schema ${known.version}; this Parley knows schemas up to ${schemaVersion}. ` +
        'A newer Parley has written it: start that one, or restore a backup from before the update.',
    )
  if (known && copyOf !== null && !known.copyOf)
    throw new Error(`The database ${connection.name} holds a Parley store already; name another one, or an empty one.`)
  if (known?.copyOf && known.version < schemaVersion)
    throw new Error(
      `The database ${connection.name} holds an unfinished copy that an older Parley began: drop the database, and begin anew.`,
    )
  if (known?.copyOf && known.copyOf.storeId !== copyOf)
    throw new Error(
      `The database ${connection.name} holds an unfinished copy of ${copyOf === null ? 'a' : 'another'} store: ` +
        'run its migration again, or drop the database.',
    )
  // A copy takes a database of its own: somebody may have named that of another program by mistake.
  const isTaken = (name: string) =>
    name !== 'meta' && !name.startsWith('system.') && (copyOf !== null || collectionNames.some((ours) => ours === name))
  const taken = [...existing].filter(isTaken)
  if (!known && taken.length > 0)
    throw new Error(
      `The database ${connection.name} has collections that Parley did not make (${taken.join(', ')}); ` +
        'name another database in MONGODB_URI: mongodb://.../<database>.',
    )
  // Another node, or another migration, starts at the same moment: what it is has to be looked at as well.
  if (!known && !(await claim(models, copyOf))) return prepare(connection, models, log, copyOf)
  if (known && (known.version < schemaVersion || known.upgrade))
    await upgrade(connection.name, models, log, () => createMissing(connection, models, log))
  else await createMissing(connection, models, log)
}

const createMissing = async (connection: Connection, models: Models, log: Log): Promise<void> => {
  const existing = new Set((await patiently(() => connection.listCollections())).map(({ name }) => name))
  for (const name of collectionNames) {
    if (!existing.has(name)) await patiently(() => models[name].createCollection())
    // Where an index is being built, a busy database may not even say which ones there are.
    const present = existing.has(name) ? await patiently(() => models[name].listIndexes()) : []
    const missing = models[name].schema.indexes().filter((wanted) => !isPresent(wanted, present, name))
    if (missing.length === 0) continue
    if (existing.has(name)) log.info({ collection: name, indices: missing.length }, 'building indices')
    for (const [key, options] of missing)
      await createIndex(native(models[name] as Models['meta']), { key, ...options }, log)
  }
}

/** One that takes longer than the driver waits goes on being built, and asking for it again waits for that. */
const createIndex = async (collection: mongo.Collection<SchemaDocument>, index: object, log: Log): Promise<void> => {
  try {
    await collection.createIndexes([index as mongo.IndexDescription])
  } catch (error) {
    if (!(error instanceof mongo.MongoNetworkTimeoutError)) throw error
    log.info({ index }, 'MongoDB is still building an index; waiting for it')
    return createIndex(collection, index, log)
  }
}

interface Index {
  name?: string
  key: Record<string, unknown>
  unique?: boolean
  partialFilterExpression?: object
}

/**
 * Whether an index stands as it is wanted.
 * @throws Error where there is one that only looks like it: without its `unique` two messages could share a place
 */
const isPresent = (
  [key, options = {}]: [Record<string, unknown>, object?],
  present: Index[],
  collection: string,
): boolean => {
  const { name, unique = false, partialFilterExpression } = options as Partial<Index>
  const shape = (index: Partial<Index>) =>
    JSON.stringify([Object.entries(index.key ?? {}), index.unique ?? false, index.partialFilterExpression ?? null])
  const wanted: Partial<Index> = { key, unique, ...(partialFilterExpression && { partialFilterExpression }) }
  const other = present.find((index) => index.name === name || JSON.stringify(index.key) === JSON.stringify(key))
  if (!other) return false
  if (other.name === name && shape(other) === shape(wanted)) return true
  const facts = { name, ...(unique && { unique }), ...(partialFilterExpression && { partialFilterExpression }) }
  throw new Error(
    `The index ${other.name} of ${collection} is not the one that Parley needs. Drop it with ` +
      `db.${collection}.dropIndex('${other.name}'), make it with db.${collection}.createIndex(` +
      `${JSON.stringify(key)}, ${JSON.stringify(facts)}), and start again.`,
  )
}

/**
 * Before the other collections, so that a start that is cut short is taken up again and not taken for somebody else's.
 * @returns whether it was this one that did
 */
const claim = async ({ meta }: Models, copyOf: string | null): Promise<boolean> => {
  try {
    await meta.create({
      _id: 'schema',
      version: schemaVersion,
      storeId: randomUUID(),
      createdAt: new Date(),
      ...(copyOf && { copyOf: { storeId: copyOf } }),
    })
    return true
  } catch (error) {
    if (isDuplicate(error)) return false
    throw error
  }
}
