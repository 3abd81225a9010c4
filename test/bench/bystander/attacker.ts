import { attacks } from './attacks.ts'

// The attack, in a process of its own: `attacker.js NAME URL TOKEN`, until it is ended.

const [name = '', url = '', token = ''] = process.argv.slice(2)
const attack = attacks[name]
if (!attack) throw new Error(`There is no attack «${name}». There are: ${Object.keys(attacks).join(', ')}.`)
const over = new AbortController()
process.on('SIGTERM', () => over.abort())
process.stdout.write('attacking\n')
await attack({ url, token }, over.signal)
