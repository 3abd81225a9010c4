import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('..', import.meta.url))

export default defineConfig({
  root,
  resolve: {
    // Tests run the compiled files, the ones that `npm start` runs: worker threads need JavaScript on Node 20, and what
    // is tested is what is shipped. `npm test` compiles first.
    alias: [{ find: /^(?:\.\.\/)+(server|client-sdk\/src)\/(.*)\.ts$/, replacement: `${root}dist/$1/$2.js` }],
  },
  test: {
    include: ['test/**/*.test.ts'],
    // Processes, since a thread that runs the store's native code cannot be ended for certain.
    pool: 'forks',
    maxWorkers: 4,
    testTimeout: 20_000,
    server: { deps: { external: [/\/dist\//] } },
  },
})
