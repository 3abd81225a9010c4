import { readFileSync } from 'node:fs'

/** What a process and its main thread have used of a processor so far, user and system; null where no `/proc` tells. */
export const cpuSeconds = (pid: number): { process: number; mainThread: number } | null => {
  try {
    return { process: secondsIn(`/proc/${pid}/stat`), mainThread: secondsIn(`/proc/${pid}/task/${pid}/stat`) }
  } catch {
    return null
  }
}

/** How long the main thread was ready to run and had no processor, as others had them; NaN where no `/proc` tells. */
export const waitedSeconds = (pid: number): number => {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1').split(' ')[1]) / 1e9
  } catch {
    return Number.NaN
  }
}

/** Linux counts in hundredths of a second there, whatever the kernel's own tick. */
const ticksPerSecond = 100

const secondsIn = (file: string): number => {
  // The fields behind the name, which may hold spaces: the 12th and the 13th are utime and stime.
  const fields = readFileSync(file, 'latin1').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}
