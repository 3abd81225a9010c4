import { renameSync, rmSync, writeFileSync } from 'node:fs'

/**
 * Replaces a file as a whole, for its owner's eyes alone: whoever reads it, also after this process was killed, finds
 * the old text or the new one.
 */
export const replaceFile = (path: string, text: string): void => {
  const draft = `${path}.${process.pid}.new`
  try {
    // A left-over of a killed process that had this id would keep its own mode.
    rmSync(draft, { force: true })
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx' })
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}
