import { storeContract } from './store.ts'
import { temporarySqlite } from './temporary-sqlite.ts'

storeContract('SQLite', temporarySqlite)
