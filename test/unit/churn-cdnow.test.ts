import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { areaUnderCurve, brierScore, calibrationError, liftAt, logLoss } from '../../processors/core/statistics.ts';
import { churnModelOf } from '../../processors/customer/churn-model.ts';
import { churnProbability } from '../../processors/customer/churn-risk.ts';
import type { OrderStatistics } from '../../processors/customer/churn-risk.ts';

/**
 * The CDNOW master file (Fader and Hardie): 69,659 purchases of 23,570 customers, a line each of customer, date, CDs,
 * dollars. It is not part of the repository; where it lies beside it, the model is held to what the customers then did.
 */
const FILE = join(import.meta.dirname, '../../../shared/data/cdnow-master.txt');
const present = existsSync(FILE);
if (!present)
  process.stderr.write(`SKIPPED: the churn model is not held to the CDNOW customers, ${FILE} is not there\n`);

const DAY_MS = 86_400_000;
const CUT_OFF = Date.parse('1997-09-30T00:00:00Z');
/** Fitted to purchases up to and with the cut-off of the full cohort. */
const model = churnModelOf({
  brandId: 'cdnow',
  model: 'mbg-nbd',
  horizonDays: 273,
  parameters: { r: 0.6371, alpha: 7.3103, a: 0.8075, b: 1.2284 },
  baseline: { probability: 0, x: 0, tx: 0, T: 0 },
  fittedAt: '1997-09-30T00:00:00Z',
  version: 'cdnow',
  file: 'churn/cdnow.json',
});

function purchaseDays(): Map<string, Set<number>> {
  const days = new Map<string, Set<number>>();
  for (const line of readFileSync(FILE, 'latin1').split('\n')) {
    const [customer = '', date = ''] = line.trim().split(/\s+/);
    const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3T00:00:00Z'));
    if (!Number.isNaN(at)) days.set(customer, (days.get(customer) ?? new Set()).add(at));
  }
  return days;
}

function orderStatistics(days: readonly number[]): OrderStatistics {
  return { x: days.length - 1, firstOrderAt: Math.min(...days), lastOrderAt: Math.max(...days) };
}

describe.runIf(present)('churn risk of the CDNOW customers, 273 days from 1997-09-30', () => {
  const risks: number[] = [];
  const lost: boolean[] = [];
  let repeats = 0;

  beforeAll(() => {
    for (const days of purchaseDays().values()) {
      const known = [...days].filter((at) => at <= CUT_OFF);
      const stats = orderStatistics(known);
      repeats += stats.x;
      risks.push(churnProbability(model, stats, CUT_OFF));
      lost.push(![...days].some((at) => at > CUT_OFF && at <= CUT_OFF + 273 * DAY_MS));
    }
  });

  test('has the customers and purchases of the published calibration period', () => {
    expect(risks).toHaveLength(23_570);
    expect(repeats).toBe(24_337);
    expect(lost.filter((each) => !each)).toHaveLength(7_058);
  });

  test('ranks and weighs them as computed for this model', () => {
    expect(areaUnderCurve(risks, lost)).toBeCloseTo(0.7547, 4);
    expect(brierScore(risks, lost)).toBeCloseTo(0.1661, 4);
    expect(logLoss(risks, lost)).toBeCloseTo(0.5149, 4);
    expect(Math.abs(calibrationError(risks, lost) - 0.062)).toBeLessThan(0.001);
  });

  test('finds buyers among those of least risk', () => {
    const bought = lost.map((each) => !each);
    expect(
      liftAt(
        0.1,
        risks.map((risk) => 1 - risk),
        bought,
      ),
    ).toBeGreaterThan(2.5);
  });
});
