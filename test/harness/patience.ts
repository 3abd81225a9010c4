/** A ceiling in milliseconds for what hangs, however busy the machine is. No test waits for it. */
export const hangMs = 300_000
