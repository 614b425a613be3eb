import { defineConfig } from 'vitest/config';

interface Files {
  readonly include: string[];
  readonly exclude?: string[];
}

// Two cores run the tests, a broker, a database and a registry: the projects that need those services run one file at a
// time, one project after the other, so that what they measure and time out on is their own work. Files that mostly wait run
// two at a time, in a project of their own.
const services = (name: string, groupOrder: number, files: Files, workers = 1) => ({
  test: {
    name,
    ...files,
    globalSetup: ['test/harness/vitest-services.ts'],
    fileParallelism: workers > 1,
    maxWorkers: workers,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    sequence: { groupOrder },
  },
});

/** For sessions to end, for answers that never come, for two minutes of a light load. */
const WAITING = ['accept-loss', 'denied', 'purge', 'secured', 'services-slow', 'soak'].map(
  (name) => `test/integration/${name}.test.ts`,
);

const plain = (name: string, testTimeout: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    maxWorkers: 2,
    testTimeout,
    hookTimeout: 30_000,
    sequence: { groupOrder: 0 },
  },
});

export default defineConfig({
  test: {
    passWithNoTests: false,
    teardownTimeout: 30_000,
    projects: [
      plain('unit', 20_000),
      plain('processors', 20_000),
      // Linting the fixtures and regenerating files takes seconds each.
      plain('guard', 60_000),
      services('contract', 1, { include: ['test/contract/**/*.test.ts'] }),
      services('integration', 2, { include: ['test/integration/**/*.test.ts'], exclude: WAITING }),
      services('integration-waiting', 3, { include: WAITING }, 2),
      services('e2e', 4, { include: ['test/e2e/**/*.test.ts'] }),
    ],
  },
});
