import { chmodSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { replaceFile } from './atomic-file.ts'

export interface SavedSession {
  server: string
  userId: string
  token: string
}

/** `$XDG_CONFIG_HOME/parley`; a relative one is to be passed over, says its specification. */
const folderOf = ({ XDG_CONFIG_HOME: config = '' }: NodeJS.ProcessEnv): string =>
  join(isAbsolute(config) ? config : join(homedir(), '.config'), 'parley')

/** Who is signed in where: a file for each server, so that sign-ins at two servers cannot overwrite one another. */
export const openSavedSessions = (environment: NodeJS.ProcessEnv) => {
  const folder = folderOf(environment)
  const fileOf = (server: string) => join(folder, `${encodeURIComponent(server)}.json`)
  return {
    read(server: string): SavedSession | null {
      try {
        return JSON.parse(readFileSync(fileOf(server), 'utf8'))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
        throw new Error(`${fileOf(server)} cannot be read: ${(error as Error).message}`)
      }
    },
    save(session: SavedSession) {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      // It may be there from elsewhere.
      chmodSync(folder, 0o700)
      replaceFile(fileOf(session.server), `${JSON.stringify(session)}\n`)
    },
    forget: (server: string) => rmSync(fileOf(server), { force: true }),
  }
}
export type SavedSessions = ReturnType<typeof openSavedSessions>
