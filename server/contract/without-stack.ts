/** Makes or throws an error that was expected: to note where it was made costs more than the call that it refuses. */
export const withoutStack = <Made>(make: () => Made): Made => {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return make()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
