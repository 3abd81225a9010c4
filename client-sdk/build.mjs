// Makes dist/ of what `tsc` compiled: entries (browsers, Node, React, a file for the outbox, the command) that share
// their code, and declarations that import nothing but React's.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'

const compiled = fileURLToPath(new URL('../dist/client-sdk/src/', import.meta.url))
const dist = fileURLToPath(new URL('dist/', import.meta.url))

/** The names of the contract's strings and numbers stand in declarations as what zod infers for them. */
const inferred = { ZodString: 'string', ZodInt: 'number', ZodNumber: 'number' }
const withoutZod = {
  name: 'without-zod',
  transform: (code) =>
    code.replace(/declare const (\w+): z\.(\w+);\nexport type \1 = z\.infer<typeof \1>;/g, (all, name, schema) =>
      schema in inferred ? `type ${name} = ${inferred[schema]};` : all,
    ),
}

/** What only one entry needs stays with it; all the rest is shared. */
const entriesOwn = /client-sdk\/src\/(command\/|chat\/outbox\/(file-storage|lock-file)\.|(index|node)\.|react[./])/
const sharedIn = (name) => (id) => (entriesOwn.test(id) ? undefined : name)

/** What the React entry opens is the client of the platform that it runs on: that of the package's own entry there. */
const platformsOwnClient = {
  name: 'platforms-own-client',
  resolveId: (source, importer) =>
    source === './index.js' && importer === join(compiled, 'react.js')
      ? { id: '@parley/client', external: true }
      : null,
}
/** Where servers render components, its hooks are for the browser. Bundling would drop a directive of the source. */
const banner = ({ fileName }) => (fileName === 'react.js' ? "'use client';" : '')

const onwarn = ({ message }) => {
  throw new Error(message)
}

/** The licences of whatever was rolled in, as they ask for. */
const writeNotices = async (chunks) => {
  const modules = chunks.flatMap((chunk) => Object.entries(chunk.modules))
  const ids = modules.flatMap(([id, { renderedLength }]) => (renderedLength > 0 ? [id] : []))
  const packages = new Set(ids.map((id) => /.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0]))
  packages.delete(undefined)
  const notices = [...packages].sort().map(async (folder) => {
    const { name, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    return `${name} ${version}\n\n${await readFile(join(folder, 'LICENSE'), 'utf8')}`
  })
  await writeFile(join(dist, 'THIRD-PARTY-LICENSES.txt'), (await Promise.all(notices)).join('\n---\n\n'))
}

await rm(dist, { recursive: true, force: true })
const [code, types] = await Promise.all([
  rollup({
    input: ['index.js', 'node.js', 'react.js', 'chat/outbox/file-storage.js', 'command/parley.js'].map((entry) =>
      join(compiled, entry),
    ),
    // Whatever else is named here would be missing where the package is installed; `onwarn` refuses it.
    external: ['ws', 'react', /^node:/],
    plugins: [platformsOwnClient],
    onwarn,
  }),
  rollup({
    input: {
      index: join(compiled, 'index.d.ts'),
      react: join(compiled, 'react.d.ts'),
      'file-storage': join(compiled, 'chat/outbox/file-storage.d.ts'),
    },
    external: ['zod', 'react'],
    plugins: [withoutZod, dts({ respectExternal: true, compilerOptions: { allowImportingTsExtensions: true } })],
    onwarn,
  }),
])
const written = [
  ...(await code.write({ dir: dist, chunkFileNames: '[name].js', banner, manualChunks: sharedIn('client') })).output,
  // A project has `AsyncDisposable` by this, whatever its `lib`.
  ...(
    await types.write({
      dir: dist,
      entryFileNames: '[name].d.ts',
      chunkFileNames: '[name].d.ts',
      manualChunks: sharedIn('types'),
      banner: '/// <reference lib="esnext.disposable" />',
    })
  ).output,
]
await writeNotices(written)

/** What a file may import beside the shared ones. Node's own modules stay out of browsers. */
const mayImport = {
  'node.js': /^ws$/,
  'parley.js': /^(ws|node\.js|node:.*)$/,
  'file-storage.js': /^node:/,
  'react.js': /^(react|@parley\/client)$/,
  'react.d.ts': /^react$/,
}
const isOurs = (fileName, name) =>
  ['client.js', 'types.d.ts', 'index.d.ts'].includes(name) || mayImport[fileName]?.test(name)
const foreign = written.flatMap(({ fileName, imports }) => imports.filter((name) => !isOurs(fileName, name)))
if (foreign.length > 0) throw new Error(`The package would import ${foreign.join(', ')}`)
