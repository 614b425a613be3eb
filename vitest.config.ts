import { defineConfig } from 'vitest/config';

// Two cores run the tests, a broker, a database and a registry: the projects that need those services run one file at a
// time, one project after the other, so that what they measure and time out on is their own work.
const services = (name: string, groupOrder: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    globalSetup: ['test/harness/vitest-services.ts'],
    fileParallelism: false,
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    sequence: { groupOrder },
  },
});

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
      services('contract', 1),
      services('integration', 2),
      services('e2e', 3),
    ],
  },
});
