import { existsSync } from 'node:fs'
import { readConfig } from './config.ts'

/** With the moment that closing takes, within the 30 s that most supervisors allow before they kill. */
const drainMs = 25_000

const say = (line: string) => process.stdout.write(`${line}\n`)
const fail = (error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}

const run = async () => {
  // Whoever read the output may have gone; that ends nothing, least of all a drain.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  if (existsSync('.env')) process.loadEnvFile('.env')
  const config = readConfig(process.env)
  // After that, so that what is wrong with the configuration is said at once.
  const { startApp } = await import('./app.ts')
  const app = await startApp(config)
  say(`parley listening on ${app.url}`)

  let stopping = false
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) fail(`${signal} again: stopping at once`)
    stopping = true
    say(`${signal}: stopping; open calls have ${drainMs / 1000} s, a second signal ends at once`)
    app.drain(drainMs).then(() => process.exit(0), fail)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

run().catch(fail)
