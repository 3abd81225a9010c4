/** Whether tests that can be as long as one likes take their long form, as in CI: `LONG_FORMS=1 npm test`. */
export const isLongForm = process.env.LONG_FORMS === '1'

/** In place of the long form. */
export const skippedShort = ' (skipped: a long form; LONG_FORMS=1)'
