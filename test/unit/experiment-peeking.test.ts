import { describe, expect, test } from 'vitest';
import { logEvidence, mixingRate, pOf } from '../../processors/experiment/confidence-sequence.ts';
import { absoluteEffect } from '../../processors/experiment/effect.ts';
import { addUnit, armOf, newSums, shareOf } from '../../processors/experiment/moments.ts';
import { ratioChiSquare, ratioLogEvidence } from '../../processors/experiment/sample-ratio.ts';
import { Random } from '../../processors/simulation/random.ts';

const ALPHA = 0.05;
const RATIO_ALPHA = 0.001;
const LOOKS = 1_000;
const RUNS = 1_000;
const TUNING = 5_000;
/** 1.96: what a single look is held against. */
const NAIVE_Z = 1.959963984540054;

interface Alarms {
  alwaysValid: number;
  naive: number;
}

/** Shares of runs in which one of 1,000 looks, one after every `step` units, found a difference that is not there. */
function falseAlarms(seed: number, step: number, valueOf: (random: Random) => number, of = armOf): Alarms {
  const rate = mixingRate(ALPHA, TUNING);
  const alarms = { alwaysValid: 0, naive: 0 };
  for (let run = 0; run < RUNS; run++) {
    const random = new Random(seed, run);
    const sums = [newSums(), newSums()] as const;
    let units = 0;
    const found = { alwaysValid: false, naive: false };
    for (let look = 0; look < LOOKS && !(found.alwaysValid && found.naive); look++) {
      for (let unit = 0; unit < step; unit++) addUnit(random.chance(0.5) ? sums[0] : sums[1], valueOf(random), 1);
      units += step;
      const effect = absoluteEffect(of(sums[0]), of(sums[1]));
      if (effect === null) continue;
      if (pOf(logEvidence(effect, units * rate)) <= ALPHA) found.alwaysValid = true;
      if (effect.standardError > 0 && Math.abs(effect.value / effect.standardError) >= NAIVE_Z) found.naive = true;
    }
    if (found.alwaysValid) alarms.alwaysValid += 1;
    if (found.naive) alarms.naive += 1;
  }
  return { alwaysValid: alarms.alwaysValid / RUNS, naive: alarms.naive / RUNS };
}

describe('1,000 looks at variants that do not differ', () => {
  test('find a conversion rate to differ in 5 % of experiments at most; a naive test finds it in half of them', () => {
    const { alwaysValid, naive } = falseAlarms(1, 4, (random) => (random.chance(0.1) ? 1 : 0), shareOf);
    expect(alwaysValid).toBeLessThanOrEqual(0.05);
    expect(alwaysValid).toBeGreaterThan(0);
    expect(naive).toBeGreaterThan(0.4);
  });

  test('and as few of revenue, most of it by few', () => {
    const revenue = (random: Random): number => (random.chance(0.1) ? Math.round(1000 * Math.exp(random.normal())) : 0);
    const { alwaysValid, naive } = falseAlarms(2, 4, revenue);
    expect(alwaysValid).toBeLessThanOrEqual(0.05);
    expect(naive).toBeGreaterThan(0.4);
  });
});

test('the sequential ratio test cries wolf in less than 1 of 1,000 fair experiments, the χ² of each look in many', () => {
  const alarms = { sequential: 0, snapshot: 0 };
  for (let run = 0; run < RUNS; run++) {
    const random = new Random(3, run);
    const units = [0, 0];
    const found = { sequential: false, snapshot: false };
    for (let look = 0; look < LOOKS; look++) {
      for (let unit = 0; unit < 10; unit++) {
        const variant = random.below(2);
        units[variant] = (units[variant] ?? 0) + 1;
      }
      if (pOf(ratioLogEvidence(units, [0.5, 0.5])) <= RATIO_ALPHA) found.sequential = true;
      if ((ratioChiSquare(units, [0.5, 0.5])?.p ?? 1) <= RATIO_ALPHA) found.snapshot = true;
    }
    if (found.sequential) alarms.sequential += 1;
    if (found.snapshot) alarms.snapshot += 1;
  }
  expect(alarms.sequential).toBeLessThanOrEqual(1);
  expect(alarms.snapshot).toBeGreaterThan(15);
});

test('a real difference is found, and a ratio that is wrong', () => {
  const random = new Random(4);
  const sums = [newSums(), newSums()] as const;
  let least = 1;
  for (let unit = 0; unit < 20_000; unit++) {
    const isTreated = random.chance(0.5);
    addUnit(sums[isTreated ? 1 : 0], random.chance(isTreated ? 0.12 : 0.1) ? 1 : 0, 1);
    const effect = absoluteEffect(shareOf(sums[0]), shareOf(sums[1]));
    if (effect !== null) least = Math.min(least, pOf(logEvidence(effect, (unit + 1) * mixingRate(ALPHA, TUNING))));
  }
  expect(least).toBeLessThan(ALPHA);
  expect(pOf(ratioLogEvidence([10_000, 9300], [0.5, 0.5]))).toBeLessThan(RATIO_ALPHA);
});
