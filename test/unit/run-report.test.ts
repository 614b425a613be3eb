import { describe, expect, test } from 'vitest';
import { addSuite, EMPTY_TALLY, readReport } from '../run-report.ts';

const file = (name: string, status: string, statuses: string[], startTime = 1000, endTime = 2000) => ({
  name,
  status,
  startTime,
  endTime,
  assertionResults: statuses.map((each) => ({ status: each })),
});

describe('the summary of npm test', () => {
  test('counts passed, failed and skipped tests of a file', () => {
    const report = { testResults: [file('/a.test.ts', 'failed', ['passed', 'failed', 'pending', 'todo'])] };
    expect(readReport(JSON.stringify(report))).toEqual([
      { file: '/a.test.ts', passed: 1, failed: 1, skipped: 2, startedAt: 1000, endedAt: 2000 },
    ]);
  });

  test('counts a file that could not be loaded as one failure', () => {
    const report = { testResults: [file('/a.test.ts', 'failed', [])] };
    expect(readReport(JSON.stringify(report))[0]).toMatchObject({ passed: 0, failed: 1, skipped: 0 });
  });

  test('has no suites when the run wrote no report', () => {
    expect(readReport(null)).toEqual([]);
  });

  test('adds up, from the first start to the last end', () => {
    const report = {
      testResults: [
        file('/a', 'passed', ['passed'], 1000, 2000),
        file('/b', 'passed', ['passed', 'skipped'], 500, 1500),
      ],
    };
    expect(readReport(JSON.stringify(report)).reduce(addSuite, EMPTY_TALLY)).toMatchObject({
      passed: 2,
      skipped: 1,
      startedAt: 500,
      endedAt: 2000,
    });
  });
});
