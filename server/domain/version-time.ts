/** When versions begin. */
const epochMs = Date.UTC(2020, 0, 1)

/** Versions count on with time, so many in a millisecond: they stay below what a number can be until 2089. */
export const versionsPerMs = 4_096

/** What no version given before this time reaches; `ms` since 1970. */
export const versionAt = (ms: number): number => (ms - epochMs) * versionsPerMs
