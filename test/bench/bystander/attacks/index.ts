import type { Attack } from '../attack.ts'
import { binary, fragments, invalid, junk, pipelined, pongs } from './floods.ts'
import { replay } from './replay.ts'
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
}

export const attacks: Record<string, Attack> = { ...loads }

/** What is run, and by which attacks: one by one, then all that keep the server busy at once. */
export const runs: Record<string, string[]> = {
  ...Object.fromEntries(Object.keys(attacks).map((name) => [name, [name]])),
  mixed: Object.keys(loads),
}
