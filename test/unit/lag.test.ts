import { describe, expect, test } from 'vitest';
import { Lag } from '../../processors/runtime/lag.ts';

const SECOND = 1000;

describe('the lag of a partition', () => {
  test('is nothing when everything is folded, however long ago the last record came', () => {
    const lag = new Lag();
    expect(lag.measure(10, 10, 0, 5 * SECOND)).toEqual({ records: 0, seconds: 0 });
    expect(lag.measure(10, 10, null, 9000 * SECOND)).toEqual({ records: 0, seconds: 0 });
  });

  test('grows by itself while nothing is folded', () => {
    const lag = new Lag();
    lag.measure(10, 10, 0, 100 * SECOND);
    expect(lag.measure(10, 13, null, 105 * SECOND)).toEqual({ records: 3, seconds: 5 });
    expect(lag.measure(10, 20, null, 165 * SECOND)).toEqual({ records: 10, seconds: 65 });
  });

  test('does not count the silence before a record', () => {
    const lag = new Lag();
    lag.measure(10, 10, 0, 0);
    lag.measure(10, 10, null, 3600 * SECOND);
    expect(lag.measure(10, 11, null, 3605 * SECOND)).toEqual({ records: 1, seconds: 5 });
  });

  test('counts from the first record that is not folded, not from the first that ever waited', () => {
    const lag = new Lag();
    lag.measure(0, 0, null, 0);
    lag.measure(0, 10, null, 10 * SECOND);
    lag.measure(0, 20, null, 20 * SECOND);
    lag.measure(0, 30, null, 30 * SECOND);
    expect(lag.measure(20, 40, null, 40 * SECOND)).toEqual({ records: 20, seconds: 20 });
  });

  test('of a backlog found at the start is as old as the newest record folded', () => {
    const lag = new Lag();
    const now = 86_400 * SECOND;
    expect(lag.measure(0, 1000, null, now)).toEqual({ records: 1000, seconds: 0 });
    expect(lag.measure(100, 1000, now - 7200 * SECOND, now)).toEqual({ records: 900, seconds: 7200 });
    expect(lag.measure(900, 1000, now - 60 * SECOND, now)).toEqual({ records: 100, seconds: 60 });
  });

  test('of a log that was created anew knows nothing of the old one', () => {
    const lag = new Lag();
    lag.measure(50, 50, null, 0);
    expect(lag.measure(0, 5, null, 100 * SECOND)).toEqual({ records: 5, seconds: 0 });
    expect(lag.measure(0, 6, null, 110 * SECOND)).toEqual({ records: 6, seconds: 10 });
  });

  test('stays true, and its memory small, over a standstill of days', () => {
    const lag = new Lag();
    lag.measure(0, 0, null, 0);
    const at = (second: number) => second * SECOND;
    for (let second = 5; second <= 100_000; second += 5) lag.measure(0, second, null, at(second));
    expect(lag.measure(0, 100_001, null, at(100_001))).toEqual({ records: 100_001, seconds: 100_001 });
    // Halfway: thinned out, and still within a tenth.
    const { seconds } = lag.measure(50_000, 100_002, null, at(100_002));
    expect(seconds).toBeGreaterThanOrEqual(50_000);
    expect(seconds).toBeLessThan(55_000);
  });
});
