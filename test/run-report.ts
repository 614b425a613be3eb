/** How many tests of a suite, or of several, ended how; times in ms since the epoch. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface Suite extends Tally {
  readonly file: string;
}

export const EMPTY_TALLY: Tally = { passed: 0, failed: 0, skipped: 0, startedAt: 0, endedAt: 0 };

/** The part of Vitest's JSON report that is read here. */
interface JsonReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly startTime: number;
    readonly endTime: number;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** The suites of a Vitest JSON report, a suite for each test file; none when the run ended before writing one (null). */
export function readReport(text: string | null): Suite[] {
  if (text === null) return [];
  const report = JSON.parse(text) as JsonReport;
  return report.testResults.map((file) => {
    const count = (status: string): number => file.assertionResults.filter((each) => each.status === status).length;
    const passed = count('passed');
    const failed = count('failed');
    return {
      file: file.name,
      passed,
      // A file that could not even be loaded has no tests to fail: it counts as one.
      failed: failed === 0 && file.status === 'failed' ? 1 : failed,
      skipped: file.assertionResults.length - passed - failed,
      startedAt: file.startTime,
      endedAt: file.endTime,
    };
  });
}

/** The sum of two tallies, over the time from the first start to the last end. */
export function addSuite(sum: Tally, next: Tally): Tally {
  return {
    passed: sum.passed + next.passed,
    failed: sum.failed + next.failed,
    skipped: sum.skipped + next.skipped,
    startedAt:
      sum.startedAt === 0
        ? next.startedAt
        : next.startedAt === 0
          ? sum.startedAt
          : Math.min(sum.startedAt, next.startedAt),
    endedAt: Math.max(sum.endedAt, next.endedAt),
  };
}

/**
 * Whether a stage passed, and in a few words why. `mustRun`: a stage of which everything was skipped is a promise that nobody
 * checked. Services that cannot be had fail by themselves then (services.ts); what may be skipped is a test whose data file
 * is not part of the repository.
 */
export function judge(files: number, tally: Tally, mustRun: boolean): { passed: boolean; note: string } {
  if (files === 0) return { passed: false, note: 'no test ran' };
  const { passed, failed, skipped } = tally;
  const note = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  if (failed === 0 && passed === 0 && mustRun)
    return { passed: false, note: `${note}: something must run with CI=true` };
  return { passed: failed === 0, note };
}
