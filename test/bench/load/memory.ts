import { readFileSync } from 'node:fs'

/** Bytes of memory that a process holds (its resident set); NaN where no `/proc` tells. */
export const residentBytes = (pid: number): number => {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    return Number(kilobytes) * 1024
  } catch {
    return Number.NaN
  }
}

/** Looks at it ten times a second. @returns a function that ends this, and says what the most was */
export const watchResident = (pid: number): (() => number) => {
  let most = residentBytes(pid)
  const timer = setInterval(() => {
    most = Math.max(most, residentBytes(pid) || 0)
  }, 100)
  return () => {
    clearInterval(timer)
    return most
  }
}
