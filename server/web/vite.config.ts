import { existsSync, readdirSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

const here = fileURLToPath(new URL('.', import.meta.url))
const sdk = fileURLToPath(new URL('../../client-sdk/dist', import.meta.url))
const built = fileURLToPath(new URL('../../dist/web', import.meta.url))

/** Each folder with a page of its own is a page, and gives its name to what it loads. */
const pages = Object.fromEntries(
  readdirSync(here)
    .map((folder) => [folder, join(here, folder, 'index.html')] as const)
    .filter(([, page]) => existsSync(page)),
)

const [brotli, gzipped] = [promisify(brotliCompress), promisify(gzip)]

/** Once here, rather than for each request: the server sends what lies beside a file. */
const compress: Plugin = {
  name: 'compress',
  async closeBundle() {
    const entries = await readdir(built, { recursive: true, withFileTypes: true })
    const texts = entries.filter((entry) => entry.isFile() && /\.(?:html|js|css|svg)$/.test(entry.name))
    await Promise.all(
      texts.map(async (entry) => {
        const file = join(entry.parentPath, entry.name)
        const body = await readFile(file)
        const size = { [constants.BROTLI_PARAM_SIZE_HINT]: body.length }
        await writeFile(`${file}.gz`, await gzipped(body, { level: 9 }))
        await writeFile(`${file}.br`, await brotli(body, { params: size }))
      }),
    )
  },
}

export default defineConfig({
  root: here,
  publicDir: false,
  logLevel: 'warn',
  plugins: [compress],
  oxc: { jsx: { runtime: 'automatic' } },
  resolve: {
    // The package as it was built in this checkout, whichever one `node_modules` leads to.
    alias: [
      { find: /^@parley\/client$/, replacement: join(sdk, 'index.js') },
      { find: /^@parley\/client\/react$/, replacement: join(sdk, 'react.js') },
    ],
  },
  build: {
    outDir: built,
    emptyOutDir: true,
    target: 'es2022',
    // The policy of the pages takes no data: addresses, and old browsers that lack preloading are not served.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: pages,
      // What some libraries say to other bundlers is nothing to this one.
      onwarn: (warning, warn) => warning.code === 'MODULE_LEVEL_DIRECTIVE' || warn(warning),
    },
  },
})
