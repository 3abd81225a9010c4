import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { hangMs } from './harness/patience.ts'

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
    // Files leave nothing behind them, so that one process can run many: what they import took a quarter of the time.
    isolate: false,
    testTimeout: hangMs,
    hookTimeout: hangMs,
    expect: { poll: { timeout: hangMs } },
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
      // After the others, a file at a time: all share one MongoDB, and what waits for it too long is given up.
      {
        extends: true,
        test: { name: 'mongo', include: onMongo, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
      // A Chromium takes a core and more: two of them on two cores miss deadlines.
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          maxWorkers: Math.max(1, availableParallelism() >> 1),
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
