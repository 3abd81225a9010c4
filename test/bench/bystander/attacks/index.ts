import type { Attack } from '../attack.ts'
import { fanOut } from './fan-out.ts'
import { binary, fragments, invalid, junk, pipelined, pongs } from './floods.ts'
import { lists } from './lists.ts'
import { openApi } from './open-api.ts'
import { rebinding } from './rebinding.ts'
import { replay } from './replay.ts'
import { networksOfOne, signIns } from './sign-ins.ts'
import { slowReaders } from './slow-readers.ts'
import { storage } from './storage.ts'
import { anonymous, anonymousHttp, malformed } from './strangers.ts'

/** Those that keep the server busy, or fill it. */
const loads: Record<string, Attack> = {
  replay,
  malformed,
  anonymous,
  anonymousHttp,
  junk,
  invalid,
  pongs,
  binary,
  fragments,
  pipelined,
  slowReaders,
  lists,
  fanOut,
  openApi,
}

export const attacks: Record<string, Attack> = { ...loads, signIns, networksOfOne, storage, rebinding }

/** What is run, and by which attacks: one by one, then all that keep the server busy at once. */
export const runs: Record<string, string[]> = {
  ...Object.fromEntries(Object.keys(attacks).map((name) => [name, [name]])),
  mixed: Object.keys(loads),
}
