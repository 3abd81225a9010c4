/** Less than what an attack has to end. */
const answerWaitMs = 5_000

/** One call over HTTP, for attacks that ask what is answered and not how fast. @returns its result, or its error's facts */
export const callOverHttp = async (
  url: URL,
  path: string,
  input: object,
  headers: Record<string, string> = {},
): Promise<{ result?: unknown; error?: { kind: string; retryAfterMs?: number } }> => {
  const answer = await fetch(new URL(`/trpc/${path}`, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    signal: AbortSignal.timeout(answerWaitMs),
    body: JSON.stringify({ json: input }),
  })
  const { result, error } = (await answer.json()) as Answer
  return error ? { error: error.json.data } : { result: result?.data.json }
}

interface Answer {
  result?: { data: { json: unknown } }
  error?: { json: { data: { kind: string; retryAfterMs?: number } } }
}
