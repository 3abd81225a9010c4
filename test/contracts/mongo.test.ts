import { describe } from 'vitest'
import { openMongoStore } from '../../server/store/mongo/open.ts'
import { findTestMongo, temporaryDatabase } from '../harness/mongo.ts'
import { storeContract } from './store.ts'

const { uri, missing } = await findTestMongo()

const temporaryMongo = async () => {
  const database = temporaryDatabase(uri as string)
  const store = await openMongoStore({ uri: database.uri })
  const close = async () => {
    await store.close()
    await database.drop()
  }
  return { store, close, [Symbol.asyncDispose]: close }
}

describe.skipIf(missing)(`MongoDB${missing ? ` (skipped: ${missing})` : ''}`, () => {
  storeContract('MongoDB', temporaryMongo)
})
