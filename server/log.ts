import { pino } from 'pino'
import type { Config } from './config.ts'
import type { Log } from './domain/ports.ts'

/** What must never stand in a log, whoever logs it. */
const secrets = ['password', 'passwordHash', 'token', 'tokenHash', 'authorization', 'text', 'connectionParams']

/** JSON lines on standard error: standard output is for whoever started the process. */
export const createLog = ({ logLevel }: Pick<Config, 'logLevel'>): Log =>
  pino(
    {
      level: logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      serializers: { error: pino.stdSerializers.err },
      redact: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
    },
    pino.destination({ dest: 2, sync: true }),
  )
