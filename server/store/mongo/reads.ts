import type { Model, mongo, PipelineStage, Schema } from 'mongoose'
import { inTime } from './errors.ts'
import { waitMaxMs } from './limits.ts'
import { type Models, native } from './schema.ts'

/** With the read concern of the schema, which mongoose gives to its own queries alone. */
const reading = ({ schema }: { schema: Schema }, waitMs = waitMaxMs) => ({
  maxTimeMS: waitMs,
  readConcern: { level: schema.get('readConcern')?.level ?? 'majority' },
})

/**
 * What is durable, as plain documents, within `waitMaxMs`. Operators stand in filters as this code wrote them; what
 * callers gave stands there as values that were checked at the door.
 */
export const find = <Document extends { _id: unknown }>(
  model: Model<Document>,
  filter: mongo.Filter<Document>,
  options: Pick<mongo.FindOptions, 'sort' | 'limit' | 'projection'> = {},
  waitMs = waitMaxMs,
): Promise<Document[]> =>
  inTime(
    native(model)
      .find(filter, { ...reading(model as unknown as { schema: Schema }, waitMs), ...options })
      .toArray() as Promise<Document[]>,
    waitMs,
  )

export const findOne = async <Document extends { _id: unknown }>(
  model: Model<Document>,
  filter: mongo.Filter<Document>,
  options: Pick<mongo.FindOptions, 'sort' | 'projection'> = {},
): Promise<Document | null> => (await find(model, filter, { ...options, limit: 1 }))[0] ?? null

export const aggregate = <Result extends object>(
  model: Models['members'] | Models['messages'],
  pipeline: PipelineStage[],
): Promise<Result[]> =>
  inTime((model as Models['members']).collection.aggregate<Result>(pipeline, reading(model)).toArray())

/** So many pipelines go to the database as one. */
const unionMax = 50

/** The results of many small pipelines, each of which an index serves, in few round trips. */
export const aggregateAll = async <Result extends object>(
  model: Models['members'] | Models['messages'],
  pipelines: PipelineStage.FacetPipelineStage[][],
): Promise<Result[]> => {
  const results: Result[] = []
  for (let at = 0; at < pipelines.length; at += unionMax) {
    const [first = [], ...others] = pipelines.slice(at, at + unionMax)
    const coll = model.collection.collectionName
    const unions = others.map((pipeline) => ({ $unionWith: { coll, pipeline } }) as PipelineStage)
    results.push(...(await aggregate<Result>(model, [...(first as PipelineStage[]), ...unions])))
  }
  return results
}
