import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NEVER } from '../../processors/core/processor.ts';
import { baselineFault, churnModelOf, probabilityAlive } from '../../processors/customer/churn-model.ts';
import { churnBand, churnProbability, nextChurnCrossing } from '../../processors/customer/churn-risk.ts';

const WEEK_MS = 7 * 86_400_000;
const FIRST = Date.parse('1997-01-01T00:00:00Z');
/** Fitted to the CDNOW 1/10 sample: BG/NBD by Fader, Hardie and Lee (2005), MBG/NBD by the R package BTYDplus. */
const FITTED = {
  bg: { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 },
  mbg: { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 },
};

const definition = (horizonDays: number, parameters = FITTED.mbg) => ({
  brandId: 'demo',
  model: 'mbg-nbd' as const,
  horizonDays,
  parameters,
  baseline: { probability: 0.5, x: 1, tx: 2, T: 3 },
  fittedAt: '2026-01-01T00:00:00Z',
  version: 'v',
  file: 'churn/demo.json',
});
const model = churnModelOf(definition(90));
const models = { bg: churnModelOf({ ...definition(90, FITTED.bg), model: 'bg-nbd' }), mbg: model };
const KINDS = ['bg', 'mbg'] as const;

const statistics = (x: number, recencyWeeks: number) => ({
  x,
  firstOrderAt: FIRST,
  lastOrderAt: FIRST + Math.round(recencyWeeks * WEEK_MS),
});
const after = (weeks: number) => FIRST + Math.round(weeks * WEEK_MS);

/**
 * The reference: probability of being alive, and the risk, written as printed in the papers, for both models. `leavers`
 * is the denominator's b + x − 1 (BG, no term at x = 0) or b + x (MBG).
 */
function alive(kind: 'bg' | 'mbg', x: number, recency: number, age: number): number {
  const { r, alpha, a, b } = FITTED[kind];
  if (kind === 'bg' && x === 0) return 1;
  const leavers = kind === 'bg' ? b + x - 1 : b + x;
  return 1 / (1 + (a / leavers) * ((alpha + age) / (alpha + recency)) ** (r + x));
}

function risk(kind: 'bg' | 'mbg', x: number, recency: number, age: number, horizon: number): number {
  const { r, alpha } = FITTED[kind];
  return 1 - alive(kind, x, recency, age) * (1 - ((alpha + age) / (alpha + age + horizon)) ** (r + x));
}

describe('the reference reproduces published and computed values', () => {
  test.each([
    [7, 10, 39, 0.003602, 0.004246],
    [7, 30, 39, 0.663866, 0.645029],
    [7, 38, 39, 0.899752, 0.890941],
    [2, 30.43, 38.86, 0.72657857, 0.706202265],
  ])('alive: x %d, t_x %d, T %d', (x, recency, age, bg, mbg) => {
    expect(alive('bg', x, recency, age)).toBeCloseTo(bg, 6);
    expect(alive('mbg', x, recency, age)).toBeCloseTo(mbg, 6);
    expect(probabilityAlive(models.bg, x, recency, age)).toBeCloseTo(bg, 6);
    expect(probabilityAlive(models.mbg, x, recency, age)).toBeCloseTo(mbg, 6);
  });

  test.each([
    [30.43, 0.5894, 0.573],
    [34, 0.6299, 0.6159],
    [38.86, 0.6788, 0.6684],
    [52, 0.7806, 0.7793],
    [78, 0.8931, 0.9001],
    [104, 0.9438, 0.9512],
  ])('risk over 90 days of x 2, t_x 30.43 at T %d', (age, bg, mbg) => {
    expect(risk('bg', 2, 30.43, age, 90 / 7)).toBeCloseTo(bg, 4);
    expect(risk('mbg', 2, 30.43, age, 90 / 7)).toBeCloseTo(mbg, 4);
    expect(churnProbability(models.bg, statistics(2, 30.43), after(age))).toBeCloseTo(bg, 4);
    expect(churnProbability(models.mbg, statistics(2, 30.43), after(age))).toBeCloseTo(mbg, 4);
  });
});

describe('churn probability', () => {
  test('equals the reference over the range of customers', () => {
    const customers = fc.record({
      x: fc.integer({ min: 0, max: 60 }),
      recency: fc.integer({ min: 0, max: 150 }),
      gap: fc.integer({ min: 0, max: 300 }),
    });
    fc.assert(
      fc.property(customers, ({ x, recency, gap }) => {
        const last = x === 0 ? 0 : recency;
        for (const kind of KINDS) {
          const probability = churnProbability(models[kind], statistics(x, last), after(last + gap));
          expect(probability).toBeCloseTo(risk(kind, x, last, last + gap, 90 / 7), 10);
        }
      }),
    );
  });

  test('stays a number where powers overflow', () => {
    for (const kind of KINDS) {
      expect(probabilityAlive(models[kind], 1000, 10, 100)).toBe(0);
      expect(churnProbability(models[kind], statistics(1000, 10), after(100))).toBe(1);
      expect(churnProbability(models[kind], statistics(1000, 100), after(100))).toBeLessThan(0.01);
    }
  });

  test('of a customer who bought once: BG/NBD lets nobody leave after the first purchase, however long ago', () => {
    expect(probabilityAlive(models.bg, 0, 0, 1e9)).toBe(1);
    expect(probabilityAlive({ ...models.bg, r: 1e4 }, 0, 0, 1e9)).toBe(1);
    expect(probabilityAlive(models.mbg, 0, 0, 1e9)).toBeLessThan(1e-4);
  });

  test('several orders on one day have no recency', () => {
    const sameDay = { x: 0, firstOrderAt: FIRST, lastOrderAt: FIRST + 3_600_000 };
    expect(churnProbability(model, sameDay, after(10))).toBe(churnProbability(model, statistics(0, 0), after(10)));
  });

  test('a last order later than the clock counts as just made', () => {
    const stats = statistics(3, 20);
    expect(churnProbability(model, stats, stats.lastOrderAt - 1000)).toBe(
      churnProbability(model, stats, stats.lastOrderAt),
    );
  });

  test('only rises in silence', () => {
    const drawn = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.double({ min: 0, max: 100, noNaN: true }));
    fc.assert(
      fc.property(drawn, ([x, recency]) => {
        const stats = statistics(x, x === 0 ? 0 : recency);
        for (const kind of KINDS) {
          let before = -1;
          for (let weeks = 0; weeks < 200; weeks += 10) {
            const now = Math.max(stats.lastOrderAt, FIRST) + weeks * WEEK_MS;
            const probability = churnProbability(models[kind], stats, now);
            expect(probability).toBeGreaterThanOrEqual(before);
            expect(probability).toBeLessThanOrEqual(1);
            before = probability;
          }
        }
      }),
    );
  });

  test('bands change at one third and two thirds', () => {
    expect([0, 0.333, 1 / 3, 0.666, 2 / 3, 1].map(churnBand)).toEqual([
      'LOW',
      'LOW',
      'MEDIUM',
      'MEDIUM',
      'HIGH',
      'HIGH',
    ]);
  });
});

describe('the next crossing', () => {
  /** Over an endless horizon the risk is 1 − P(alive), whose crossing has a closed form. */
  const endless = churnModelOf(definition(1e15));

  test.each([
    [2, 30.43, 0.5, 57.5657],
    [2, 30.43, 0.2, 104.2022],
    [7, 30, 0.5, 42.7323],
  ])('x %d, t_x %d: alive falls to %d in week %d', (x, recency, alive, week) => {
    const stats = statistics(x, recency);
    const at = nextChurnCrossing(endless, stats, stats.lastOrderAt, [1 - alive]);
    expect((at - FIRST) / WEEK_MS).toBeCloseTo(week, 3);
    const { r, alpha, a, b } = FITTED.mbg;
    const closedForm = (alpha + recency) * (((1 - alive) / alive) * ((b + x) / a)) ** (1 / (r + x)) - alpha;
    expect((at - FIRST) / WEEK_MS).toBeCloseTo(closedForm, 5);
  });

  test('is exact to the millisecond, and the earliest of several', () => {
    const drawn = fc.record({
      x: fc.integer({ min: 0, max: 20 }),
      recency: fc.integer({ min: 0, max: 60 }),
      silence: fc.integer({ min: 0, max: 60 }),
      thresholds: fc.array(fc.double({ min: 0.01, max: 0.99, noNaN: true }), { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(drawn, ({ x, recency, silence, thresholds }) => {
        const stats = statistics(x, x === 0 ? 0 : recency);
        const from = stats.lastOrderAt + silence * WEEK_MS;
        const side = (at: number) => thresholds.filter((each) => churnProbability(model, stats, at) >= each).length;
        const at = nextChurnCrossing(model, stats, from, thresholds);
        if (at === NEVER) {
          expect(side(from + 3_653 * 86_400_000)).toBe(side(from));
          return;
        }
        expect(Number.isInteger(at)).toBe(true);
        expect(at).toBeGreaterThan(from);
        expect(side(at - 1)).toBe(side(from));
        expect(side(at)).toBeGreaterThan(side(from));
      }),
    );
  });

  test('walks through its thresholds and then never comes again', () => {
    const stats = statistics(2, 30);
    const first = nextChurnCrossing(model, stats, stats.lastOrderAt, [2 / 3, 0.9]);
    const second = nextChurnCrossing(model, stats, first, [2 / 3, 0.9]);
    expect(churnBand(churnProbability(model, stats, first))).toBe('HIGH');
    expect(churnBand(churnProbability(model, stats, first - 1))).toBe('MEDIUM');
    expect(second).toBeGreaterThan(first);
    expect(nextChurnCrossing(model, stats, second, [2 / 3, 0.9])).toBe(NEVER);
    expect(nextChurnCrossing(model, stats, second, [])).toBe(NEVER);
    expect(nextChurnCrossing(model, stats, second, [1.5])).toBe(NEVER);
  });

  test('a probability exactly on a threshold leaves it with the next millisecond', () => {
    const stats = statistics(2, 30);
    const on = churnProbability(model, stats, stats.lastOrderAt);
    expect(nextChurnCrossing(model, stats, stats.lastOrderAt, [on])).toBe(stats.lastOrderAt + 1);
  });
});

describe('the baseline of a model', () => {
  test('is held against the model', () => {
    const own = risk('mbg', 1, 2, 3, 90 / 7);
    const stated = (probability: number) => ({ ...definition(90), baseline: { probability, x: 1, tx: 2, T: 3 } });
    expect(baselineFault(stated(own))).toBeNull();
    expect(baselineFault(stated(own + 0.9e-9))).toBeNull();
    expect(baselineFault(stated(own + 1.1e-9))).toMatchObject({ where: 'churn/demo.json: baseline.probability' });
    expect(baselineFault(stated(own + 1e-6))?.message).toContain(String(own).slice(0, 12));
  });
});
