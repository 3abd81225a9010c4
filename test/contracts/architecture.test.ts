import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What each room may import from the others, whole rooms or single files; the arrows point one way. Files beside rooms
 *  count as rooms. */
const arrows: Record<string, string[]> = {
  'server/contract': [],
  'server/domain': ['server/fairness', 'server/contract'],
  'server/store/sqlite': ['server/domain', 'server/contract'],
  'server/store/mongo': ['server/domain', 'server/contract'],
  'server/bus': ['server/domain', 'server/contract'],
  'server/trpc': ['server/domain', 'server/contract'],
  // Who gets the time and the memory of the server; knows nothing of chat.
  'server/fairness': [],
  // Numbers that both ends agree on, and nothing of chat.
  'server/socket': ['server/fairness', 'server/contract/protocol.ts', 'server/contract/without-stack.ts'],
  'server/panel': [],
  'server/http': ['server/trpc', 'server/panel', 'server/fairness', 'server/domain', 'server/contract'],
  'server/web/panel': ['server/panel'],
  'server/web/chat': [],
  'server/web/vite.config.ts': [],
  'server/config.ts': [],
  'server/disposables.ts': [],
  'server/clock.ts': ['server/domain'],
  'server/passwords.ts': ['server/domain', 'server/contract'],
  'server/log.ts': ['server/config.ts', 'server/domain'],
  'server/app.ts': ['*'],
  'server/migrate.ts': ['server/domain', 'server/store/sqlite', 'server/store/mongo'],
  'server/main.ts': ['server/app.ts', 'server/config.ts'],
  'client-sdk/src/transport': ['server/contract'],
  'client-sdk/src/connection': ['client-sdk/src/transport', 'server/contract', 'server/trpc'],
  'client-sdk/src/requests': ['client-sdk/src/connection', 'server/contract', 'server/trpc'],
  'client-sdk/src/events': ['client-sdk/src/requests', 'client-sdk/src/connection', 'server/contract'],
  'client-sdk/src/client.ts': [
    'client-sdk/src/events',
    'client-sdk/src/requests',
    'client-sdk/src/connection',
    'client-sdk/src/transport',
    'server/contract',
  ],
  'client-sdk/src/chat': [
    'client-sdk/src/client.ts',
    'client-sdk/src/events',
    'client-sdk/src/requests',
    'client-sdk/src/connection',
    'server/contract',
  ],
  'client-sdk/src/public.ts': ['*'],
  'client-sdk/src/index.ts': ['*'],
  'client-sdk/src/node.ts': ['*'],
  'client-sdk/src/react.ts': ['*'],
  'client-sdk/src/react': ['client-sdk/src/public.ts'],
  'client-sdk/src/command': ['*'],
}

interface Import {
  from: string
  to: string
  typesOnly: boolean
}

const roomOf = (file: string) => Object.keys(arrows).find((room) => file === room || file.startsWith(`${room}/`))

const importsOf = (file: string): Import[] => {
  const text = readFileSync(join(root, file), 'utf8')
  const found = text.matchAll(/^(?:import|export)\s+(type\s)?[^'"]*?from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/gms)
  return Array.from(found, ([, typesOnly, source = '', dynamic]) => ({
    from: file,
    to: normalize(join(dirname(file), dynamic ?? source)),
    typesOnly: typesOnly !== undefined,
  }))
}

const files = ['server', 'client-sdk/src'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name))),
)
const imports = files.flatMap(importsOf)

test('every file belongs to a room', () => {
  expect(files.filter((file) => !roomOf(file))).toEqual([])
  expect(imports.length).toBeGreaterThan(100)
})

test('imports point one way: contract <- domain <- { store, bus, trpc } <- { socket, http } <- app <- main', () => {
  const wrong = imports.filter(({ from, to }) => {
    const [here, there] = [roomOf(from) ?? '', roomOf(to) ?? '']
    const allowed = arrows[here] ?? []
    return here !== there && !allowed.includes('*') && ![there, to].some((target) => allowed.includes(target))
  })
  expect(wrong).toEqual([])
})

test('no files import each other in a circle, but for form fields, which hold one another', () => {
  const targets = (file: string) => imports.filter(({ from }) => from === file).map(({ to }) => to)
  const isReached = (goal: string, from: string, seen = new Set<string>()): boolean =>
    targets(from).some((to) => to === goal || (!seen.has(to) && isReached(goal, to, seen.add(to))))
  const inCircle = files.filter((file) => isReached(file, file))
  expect(inCircle.sort()).toEqual(['server/web/panel/form/composite.tsx', 'server/web/panel/form/field.tsx'])
})

test('the SDK takes values from the contract alone, and not its schemas: those would bring zod along', () => {
  const values = imports.filter(
    ({ from, to, typesOnly }) => from.startsWith('client-sdk/') && !to.startsWith('client-sdk/') && !typesOnly,
  )
  expect(new Set(values.map(({ to }) => to))).toEqual(
    new Set([
      'server/contract/chat-error.ts',
      'server/contract/limits.ts',
      'server/contract/places.ts',
      'server/contract/protocol.ts',
    ]),
  )
})

test('the panel takes nothing but types from the server: what it knows of it, it is told', () => {
  const values = imports.filter(
    ({ from, to, typesOnly }) => from.startsWith('server/web/panel/') && !to.startsWith('server/web/') && !typesOnly,
  )
  expect(values).toEqual([])
})
