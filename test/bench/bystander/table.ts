import type { Noticed } from './bystander.ts'
import type { Measured } from './measure.ts'

const columns = [
  'attack',
  '`me` at rest, p50 / p99 / max ms',
  '`me` under attack',
  '`history` under attack',
  'her calls without a result',
  'processor, used by the server / waited for by its main thread, s/s',
  'its memory before / most / after, MB',
  'connections cut / not taken',
  'attackers sent / were sent, MB/s',
  'besides',
]

const row = (cells: string[]): string => `| ${cells.join(' | ')} |\n`

export const tableHead = row(columns) + row(columns.map(() => '---'))

export const tableRow = ({ name, seconds, atRest, underAttack, cpu, resident, traffic, besides }: Measured): string =>
  row([
    `\`${name}\``,
    quantiles(atRest.me),
    quantiles(underAttack.me),
    quantiles(underAttack.history),
    withoutResult(underAttack),
    `${cpu.used.toFixed(2)} / ${cpu.waited.toFixed(2)}`,
    [resident.before, resident.most, resident.after].map(megabytes).join(' / '),
    `${traffic.cut} / ${traffic.refused}`,
    [traffic.written, traffic.read].map((bytes) => (bytes / seconds / 1e6).toFixed(1)).join(' / '),
    besides.join('; '),
  ])

const quantiles = (took: number[]): string => {
  const sorted = took.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  return [at(0.5), at(0.99), at(1)].map((ms) => ms?.toFixed(1) ?? '-').join(' / ')
}

const withoutResult = ({ asked, failed }: Noticed): string => {
  const count = [...failed.values()].reduce((a, b) => a + b, 0)
  const reasons = [...failed].map(([why, times]) => `${why} ${times}`).join(', ')
  return `${count} of ${asked}${count === 0 ? '' : ` (${reasons})`}`
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0)
