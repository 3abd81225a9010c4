import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What needs a MongoDB. */
const onMongo = [
  'test/acceptance/acceptance.test.ts',
  'test/contracts/mongo.test.ts',
  'test/stories/mongo.test.ts',
  'test/stories/nodes-mongo.test.ts',
  'test/faults/mongo-start.test.ts',
  'test/faults/mongo-nodes.test.ts',
  'test/faults/mongo-upgrade.test.ts',
  'test/faults/migrate.test.ts',
]

export default defineConfig({
  root,
  resolve: {
    // Tests run the compiled files, the ones that `npm start` runs: worker threads need JavaScript on Node 20, and what
    // is tested is what is shipped. `npm test` compiles first.
    alias: [{ find: /^(?:\.\.\/)+(server|client-sdk\/src)\/(.*)\.ts$/, replacement: `${root}dist/$1/$2.js` }],
  },
  test: {
    // Processes, since a thread that runs the store's native code cannot be ended for certain.
    pool: 'forks',
    // A ceiling for what hangs, also on a busy machine; no test waits for it.
    testTimeout: 60_000,
    server: { deps: { external: [/\/dist\//] } },
    projects: [
      {
        extends: true,
        test: {
          name: 'programs',
          include: ['test/**/*.test.ts'],
          exclude: ['test/browser/**', ...onMongo],
          maxWorkers: 4,
          sequence: { groupOrder: 0 },
        },
      },
      // After the others: a MongoDB that all share, and a Chromium for each file, take more of the machine.
      {
        extends: true,
        test: {
          name: 'services',
          include: [...onMongo, 'test/browser/**/*.test.ts'],
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
