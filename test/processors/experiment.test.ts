import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import { RESULTS_INTERVAL_MS } from '../../processors/experiment/fold-units.ts';
import { EXPERIMENTS_MAX, experimentTotals } from '../../processors/experiment/totals.ts';
import type { ExperimentResults } from '../../schemas/types.ts';
import { experiment, withExperiments } from '../harness/experiments.ts';
import { ExperimentDriver, MINUTE, T, unit } from './experiment-fixture.ts';

const nothing = { ordered: 0, revenue: 0, complaints: 0 };
const bought = (revenue: number) => ({ ordered: 1, revenue, complaints: 0 });
const treatmentOf = ({ variants }: ExperimentResults) => variants.find(({ control }) => !control)?.comparison;

/** Half of `units` in each variant, so many of each a hundred with an order. */
function folded(units: number, orders: { A: number; B: number }, driver = new ExperimentDriver()): ExperimentDriver {
  driver.isRepacking = false;
  for (let n = 0; n < units; n++) {
    const variant = n % 2 === 0 ? 'A' : 'B';
    driver.record(T + n * 100, unit(variant, Math.floor(n / 2) % 100 < orders[variant] ? bought(500) : nothing));
  }
  return driver.end(T + units * 100);
}

describe('results', () => {
  test('say of each metric what units of each variant come to', () => {
    const driver = new ExperimentDriver()
      .record(T, unit('A', bought(300)))
      .record(T, unit('A', nothing))
      .record(T, unit('B', bought(700), { crossover: true }))
      .record(T, unit('B', {}, { heldOut: true }))
      .end(T);
    expect(driver.outputs.map(({ key }) => key)).toEqual(
      Array.from({ length: 2 }, () => ['acme|button|ordered', 'acme|button|revenue', 'acme|button|complaints']).flat(),
    );
    const { variants, ...rest } = driver.last('revenue');
    expect(rest).toEqual({
      brandId: 'acme',
      experimentId: 'button',
      metricId: 'revenue',
      occurredAt: T,
      kind: 'REVENUE',
      direction: 'UP',
      guardrail: false,
      windowDays: 7,
      alpha: 0.025,
      sampleRatio: {
        verdict: 'AS_INTENDED',
        p: 1,
        chiSquare: expect.closeTo(1 / 3, 12) as number,
        chiSquareP: expect.closeTo(0.5637, 4) as number,
      },
      winner: null,
      withheld: 'NO',
      definitionsVersion: 'hash-of-the-set',
    });
    expect(variants[0]).toEqual({
      variant: 'A',
      control: true,
      share: 0.5,
      units: 2,
      crossovers: 0,
      heldOut: 0,
      mean: 150,
      deviation: expect.closeTo(Math.sqrt(45_000), 9) as number,
      comparison: null,
    });
    expect(variants[1]).toMatchObject({ units: 1, crossovers: 1, heldOut: 1, mean: 700, deviation: 0 });
    expect(variants[1]?.comparison).toMatchObject({
      difference: 550,
      lift: expect.closeTo(11 / 3, 12) as number,
      p: 1,
      verdict: 'UNDECIDED',
    });
  });

  test('have no figures where there are none', () => {
    const driver = new ExperimentDriver().record(T, unit('A', nothing));
    const [control, treatment] = driver.last('ordered').variants;
    expect(control).toMatchObject({ units: 1, mean: 0, deviation: 0 });
    expect(treatment).toMatchObject({ units: 0, mean: null, deviation: null });
    expect(treatment?.comparison).toEqual({
      difference: null,
      differenceLow: null,
      differenceHigh: null,
      lift: null,
      liftLow: null,
      liftHigh: null,
      p: 1,
      verdict: 'UNDECIDED',
    });
    driver.record(T, unit('B', bought(1))).end(T);
    expect(driver.last('ordered').variants[1]?.comparison).toMatchObject({
      difference: 1,
      differenceLow: null,
      lift: null,
    });
  });

  test('are published at once, then once a minute, and once more for what was held back', () => {
    const driver = new ExperimentDriver()
      .record(T, unit('A', nothing))
      .record(T + 1000, unit('A', nothing))
      .record(T + 2000, unit('B', nothing))
      .silence(T + 5 * MINUTE);
    expect(driver.resultsOf('ordered').map(({ occurredAt }) => occurredAt - T)).toEqual([0, RESULTS_INTERVAL_MS]);
    driver
      .record(T + 6 * MINUTE, unit('B', nothing))
      .record(T + 6 * MINUTE, unit('B', nothing))
      .end(T + 6 * MINUTE + 5);
    expect(driver.resultsOf('ordered').map(({ occurredAt }) => occurredAt - T)).toEqual([
      0,
      MINUTE,
      6 * MINUTE,
      6 * MINUTE + 5,
    ]);
    driver.end(T + 7 * MINUTE).silence(T + 10 * MINUTE);
    expect(driver.resultsOf('ordered')).toHaveLength(4);
  });

  test('take a unit back, put another in its place, and come to the same in any order', () => {
    const driver = new ExperimentDriver()
      .record(T, unit('B', bought(9)), unit('A', nothing))
      .record(T, unit('A', nothing))
      .record(T, unit('B', bought(1)))
      .record(T, null, unit('B', bought(1)))
      .end(T);
    const variants = driver.last('revenue').variants.map(({ variant, units, mean }) => [variant, units, mean]);
    expect(variants).toEqual([
      ['A', 0, null],
      ['B', 1, 9],
    ]);
    expect(driver.gauges).toEqual({ 'experiment_units B': 1 });
  });

  test('of an experiment that is not defined are not told, but its units are kept', () => {
    const driver = new ExperimentDriver(withExperiments([experiment({ brands: ['other'] })])).record(
      T,
      unit('A', nothing),
    );
    expect(driver.outputs).toEqual([]);
    expect(driver.summary).toEqual({
      at: new Date(T),
      brandId: 'acme',
      experimentId: 'button',
      ratioLogEvidence: 0,
      variants: [{ variant: 'A', units: 1, crossovers: 0, heldOut: 0 }],
    });
  });
});

describe('verdicts', () => {
  test('a real difference is found, and stays found when the difference fades', () => {
    const driver = folded(4000, { A: 10, B: 20 });
    expect(driver.last('ordered')).toMatchObject({ winner: 'B', withheld: 'NO' });
    const before = treatmentOf(driver.last('ordered'));
    expect(before?.verdict).toBe('BETTER');
    expect(before?.p).toBeLessThan(0.025);
    expect(before?.differenceLow).toBeGreaterThan(0);
    driver.records(T + 4_000_000, 3000, unit('B', nothing)).end(T + 5_000_000);
    expect(treatmentOf(driver.last('ordered'))).toMatchObject({ verdict: 'BETTER' });
    expect(treatmentOf(driver.last('ordered'))?.p).toBeLessThanOrEqual(before?.p ?? 0);
  });

  test('a difference to the worse has no winner', () => {
    const { winner, withheld, ...rest } = folded(4000, { A: 20, B: 10 }).last('ordered');
    expect([winner, withheld, treatmentOf(rest as ExperimentResults)?.verdict]).toEqual([null, 'NO', 'WORSE']);
  });

  test('so few units say nothing, however clearly', () => {
    const driver = folded(198, { A: 0, B: 90 });
    expect(treatmentOf(driver.last('ordered'))).toMatchObject({ p: 1, verdict: 'UNDECIDED' });
    expect(treatmentOf(driver.last('ordered'))?.differenceLow).toBeGreaterThan(0);
    for (let n = 0; n < 2; n++)
      driver.record(T + 100_000, unit('B', bought(1))).record(T + 100_000, unit('A', nothing));
    expect(treatmentOf(driver.end(T + 100_000).last('ordered'))?.verdict).toBe('BETTER');
  });

  test('a winner is withheld for good once units do not fall as they should', () => {
    const driver = folded(4000, { A: 10, B: 20 });
    driver.records(T + 400_000, 800, unit('B', bought(500))).end(T + 400_000);
    expect(driver.last('ordered')).toMatchObject({ winner: null, withheld: 'SAMPLE_RATIO' });
    expect(driver.last('ordered').sampleRatio).toMatchObject({ verdict: 'FAILED' });
    expect(driver.gauges).toMatchObject({ experiment_ratio_failed: 1 });
    driver.records(T + 600_000, 800, unit('A', nothing)).end(T + 600_000);
    expect(driver.last('ordered')).toMatchObject({ winner: null, withheld: 'SAMPLE_RATIO' });
    expect(driver.last('ordered').sampleRatio.chiSquareP).toBeCloseTo(1, 9);
    expect(driver.gauges).toMatchObject({ experiment_ratio_failed: 1 });
  });

  test('a winner is withheld that is worse on a guardrail, and the next best takes its place', () => {
    const variants = ['A', 'B', 'C'].map((id) => ({ id, share: 1 / 3, control: id === 'A' }));
    const driver = new ExperimentDriver(withExperiments([experiment({ variants })]));
    driver.isRepacking = false;
    for (let n = 0; n < 6000; n++) {
      const variant = 'ABC'.charAt(n % 3);
      const place = Math.floor(n / 3) % 100;
      const orders = { A: 10, B: 40, C: 25 }[variant] ?? 0;
      const complaints = variant === 'B' && place % 5 === 0 ? 1 : place % 50 === 0 ? 1 : 0;
      driver.record(T + n * 100, unit(variant, { ...(place < orders ? bought(100) : nothing), complaints }));
    }
    driver.end(T + 600_000);
    const complaints = driver.last('complaints');
    expect(complaints).toMatchObject({ guardrail: true, winner: null, withheld: 'NO', alpha: 0.025 });
    expect(complaints.variants.map(({ comparison }) => comparison?.verdict)).toEqual([undefined, 'WORSE', 'UNDECIDED']);
    expect(driver.last('ordered')).toMatchObject({ winner: 'C', withheld: 'NO', alpha: 0.0125 });
  });

  test('a guardrail with a margin is shown to hold', () => {
    const [ordered, , complaints] = experiment().metrics;
    if (ordered === undefined || complaints === undefined) throw new Error('there is no metric');
    const metrics = [
      { ...ordered, id: 'revenue' },
      { ...ordered, guardrail: true, margin: 0.5 },
      { ...complaints, margin: 0.5 },
    ];
    const driver = folded(4000, { A: 20, B: 20 }, new ExperimentDriver(withExperiments([experiment({ metrics })])));
    expect(treatmentOf(driver.last('ordered'))?.verdict).toBe('NOT_WORSE');
    // Without a single complaint there is no mean that harm could be a part of.
    expect(treatmentOf(driver.last('complaints'))).toMatchObject({ lift: null, verdict: 'UNDECIDED' });
  });

  test('only the best is withheld when all that are better are barred', () => {
    const driver = new ExperimentDriver();
    driver.isRepacking = false;
    for (let n = 0; n < 4000; n++) {
      const place = Math.floor(n / 2) % 100;
      const isTreated = n % 2 === 1;
      const complaints = place % (isTreated ? 5 : 50) === 0 ? 1 : 0;
      const values = place < (isTreated ? 40 : 10) ? bought(100) : nothing;
      driver.record(T + n * 100, unit(isTreated ? 'B' : 'A', { ...values, complaints }));
    }
    expect(driver.end(T + 400_000).last('ordered')).toMatchObject({ winner: null, withheld: 'GUARDRAIL' });
  });
});

test('Cookie Cats, player by player, ends in the published interval and names no winner', () => {
  const [ordered] = experiment().metrics;
  if (ordered === undefined) throw new Error('there is no metric');
  const variants = [
    { id: 'gate_40', share: 0.5, control: true },
    { id: 'gate_30', share: 0.5, control: false },
  ];
  const metrics = [{ ...ordered, id: 'day-7' }];
  const driver = new ExperimentDriver(withExperiments([experiment({ variants, metrics })]));
  driver.isRepacking = false;
  const gates = { gate_30: [44_700, 8502], gate_40: [45_489, 8279] } as const;
  const done = { gate_30: { players: 0, returned: 0 }, gate_40: { players: 0, returned: 0 } };
  for (let n = 0; n < 44_700 + 45_489; n++) {
    // Whichever gate is further behind its part of the players; and each gate's returners evenly among its players.
    const gate = done.gate_30.players * 45_489 <= done.gate_40.players * 44_700 ? 'gate_30' : 'gate_40';
    const [players, returned] = gates[gate];
    const own = done[gate];
    own.players += 1;
    const isBack = (own.returned + 1) * players <= returned * own.players;
    if (isBack) own.returned += 1;
    driver.record(T + n * 1000, unit(gate, { 'day-7': isBack ? 1 : 0 }));
  }
  const results = driver.end(T + 100_000_000).last('day-7');
  expect(results.variants.map(({ units, mean }) => [units, mean])).toEqual([
    [45_489, 8279 / 45_489],
    [44_700, 8502 / 44_700],
  ]);
  const comparison = treatmentOf(results);
  expect(comparison?.differenceLow).toBeCloseTo(-0.00041, 5);
  expect(comparison?.differenceHigh).toBeCloseTo(0.01681, 5);
  expect(comparison?.verdict).toBe('UNDECIDED');
  expect(results).toMatchObject({ winner: null, sampleRatio: { verdict: 'AS_INTENDED' } });
  expect(results.sampleRatio.chiSquareP).toBeCloseTo(0.0086, 4);
});

describe('totals', () => {
  test('count so many experiments by name, the others together', () => {
    const totals = experimentTotals.initial();
    for (let n = 0; n < EXPERIMENTS_MAX + 3; n++) {
      const at = { brandId: 'acme', experimentId: `e-${n}`, variant: 'A' };
      experimentTotals.contribute(totals, { ...at, of: 'units', by: 2 });
      experimentTotals.contribute(totals, { ...at, of: 'crossovers', by: 1 });
    }
    const gauges = [...experimentTotals.gauges(totals)];
    expect(gauges).toHaveLength(3 * (EXPERIMENTS_MAX + 1));
    expect(
      gauges
        .filter(({ labels }) => labels['experiment'] === 'other')
        .map(({ name, labels, value }) => [name, labels['variant'], value]),
    ).toEqual([
      ['experiment_ratio_failed', undefined, 0],
      ['experiment_units', 'other', 6],
      ['experiment_crossovers', 'other', 3],
    ]);
    const writer = new ByteWriter();
    experimentTotals.pack(totals, writer);
    expect(experimentTotals.unpack(new ByteReader(writer.copy()))).toEqual(totals);
  });

  test('and state of a version that is not known are refused', () => {
    const later = Buffer.from([99]);
    expect(() => experimentTotals.unpack(new ByteReader(later))).toThrow('version 99');
    expect(() => new ExperimentDriver().processor.state.unpack(new ByteReader(later))).toThrow('version 99');
  });
});
