import { run } from './run.ts'

// No `process.exit`: what was written, and what the client still has to tell the server, must leave first.
process.exitCode = await run(process.argv.slice(2), {
  environment: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
})
