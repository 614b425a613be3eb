import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addSuite, EMPTY_TALLY, judge, readReport } from '../run-report.ts';

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

describe('a stage', () => {
  const tally = { ...EMPTY_TALLY, passed: 3 };

  test('passes when tests ran and none failed', () => {
    expect(judge(1, tally, true)).toEqual({ passed: true, note: '3 passed, 0 failed, 0 skipped' });
    expect(judge(1, { ...tally, failed: 1 }, false).passed).toBe(false);
    expect(judge(0, EMPTY_TALLY, false)).toEqual({ passed: false, note: 'no test ran' });
  });

  test('that needs services may be skipped as a whole on a laptop and not under CI, a test without its data anywhere', () => {
    const nothing = { ...EMPTY_TALLY, skipped: 2 };
    expect(judge(1, nothing, false).passed).toBe(true);
    expect(judge(1, nothing, true)).toMatchObject({ passed: false });
    expect(judge(1, { ...tally, skipped: 2 }, true).passed).toBe(true);
  });
});

describe('npm test', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [resolve(import.meta.dirname, '../run.ts'), ...args], { encoding: 'utf8' });

  test('tells its stages', () => {
    expect(run('--help')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('contract, integration, e2e') as string,
    });
  });

  test.each([[['--only', 'unit,unti']], [['--quick']]])('refuses %j with its usage', (args) => {
    expect(run(...args)).toMatchObject({ status: 2, stderr: expect.stringContaining('usage: npm test') as string });
  });
});
