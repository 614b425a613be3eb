import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../processors/simulation/random.ts';
import { TimeHeap } from '../../processors/simulation/time-heap.ts';

/** Mean and variance of 100,000 draws. */
function moments(draw: (random: Random) => number): { mean: number; variance: number } {
  const random = new Random(5);
  const draws = Array.from({ length: 100_000 }, () => draw(random));
  const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
  const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length;
  return { mean, variance };
}

describe('random numbers', () => {
  test('one seed gives one sequence, streams and seeds differ', () => {
    const numbers = (seed: number, stream = 0) => {
      const random = new Random(seed, stream);
      return Array.from({ length: 5 }, () => random.next());
    };
    expect(numbers(1)).toEqual(numbers(1));
    const all = [numbers(1), numbers(2), numbers(1, 1), numbers(1, 2), numbers(2, 1)].flat();
    expect(new Set(all).size).toBe(all.length);
  });

  test('neighbouring streams have nothing in common', () => {
    const firsts = Array.from({ length: 10_000 }, (_, stream) => new Random(1, stream).next());
    const mean = firsts.reduce((sum, value) => sum + value, 0) / firsts.length;
    expect(mean).toBeCloseTo(0.5, 1);
    const steps = firsts.slice(1).map((value, index) => Math.abs(value - (firsts[index] ?? 0)));
    expect(steps.reduce((sum, value) => sum + value, 0) / steps.length).toBeCloseTo(1 / 3, 1);
  });

  // Mean and variance by the textbook.
  test.each([
    ['uniform', (random: Random) => random.next(), 1 / 2, 1 / 12],
    ['exponential, mean 3', (random: Random) => random.exponential(3), 3, 9],
    ['normal', (random: Random) => random.normal(), 0, 1],
    ['gamma, shape 0.9', (random: Random) => random.gamma(0.9), 0.9, 0.9],
    ['gamma, shape 4', (random: Random) => random.gamma(4), 4, 4],
    ['beta 0.7, 2.5', (random: Random) => random.beta(0.7, 2.5), 0.7 / 3.2, (0.7 * 2.5) / (3.2 ** 2 * 4.2)],
    ['below 6', (random: Random) => random.below(6), 2.5, 35 / 12],
    ['chance of 0.2', (random: Random) => (random.chance(0.2) ? 1 : 0), 0.2, 0.16],
    [
      'weighted 3 to 1',
      (random: Random) =>
        random.weighted([
          [0, 3],
          [1, 1],
        ]),
      0.25,
      0.1875,
    ],
  ])('%s', (_, draw, mean, variance) => {
    const seen = moments(draw);
    expect(Math.abs(seen.mean - mean)).toBeLessThan(0.01 * Math.max(1, mean) + 0.02);
    expect(Math.abs(seen.variance - variance)).toBeLessThan(0.05 * Math.max(variance, 0.2));
  });

  test('there is nothing to choose from nothing', () => {
    expect(() => new Random(1).pick([])).toThrow(RangeError);
    expect(() => new Random(1).weighted([])).toThrow(RangeError);
  });
});

test('things leave the heap by time, and in their order where times are equal', () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant('pop' as const)), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (actions) => {
      const heap = new TimeHeap<number>();
      const model: { at: number; item: number }[] = [];
      actions.forEach((action, item) => {
        if (action === 'pop') {
          const least = model.toSorted((one, other) => one.at - other.at || one.item - other.item)[0];
          expect(heap.firstAt).toBe(least?.at ?? Number.POSITIVE_INFINITY);
          expect(heap.pop()?.item).toBe(least?.item);
          if (least !== undefined) model.splice(model.indexOf(least), 1);
        } else {
          heap.push(action, item);
          model.push({ at: action, item });
        }
        expect(heap.size).toBe(model.length);
      });
    }),
    { seed: 42, numRuns: 300 },
  );
});
