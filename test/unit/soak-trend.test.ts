import { describe, expect, test } from 'vitest';
import { Random } from '../../processors/simulation/random.ts';
import { judgeLooks, MEASURES, tableOf, type Look, type MeasureName } from '../soak/measures.ts';
import { trendOf, type Sample } from '../soak/trend.ts';

const HEAP = MEASURES['heap MiB'];
const LOOKS = 70;
const MINUTES = 1.2;

/** A heap of 60 MiB as it is looked at over the shortest run there is. */
function series(valueOf: (minutes: number, random: Random) => number, seed = 1): Sample[] {
  const random = new Random(seed);
  return Array.from({ length: LOOKS }, (_each, index) => {
    const minutes = (index / (LOOKS - 1)) * MINUTES;
    return { minutes, value: 60 + valueOf(minutes, random) };
  });
}

const noise = (random: Random, width: number): number => (random.next() - 0.5) * 2 * width;

describe('a trend', () => {
  test('is the median of the slopes between any two samples, with the bounds of Sen', () => {
    // The slopes of the ten pairs, by hand.
    const values = [3, 4, 2, 8, 4];
    const samples = values.map((value, minutes) => ({ minutes, value }));
    const { growth, lower, upper, median } = trendOf(samples, { share: 0, least: 0 });
    const slopes = [-4, -2, -0.5, 0, 0.25, 1, 1, 5 / 3, 2, 6];
    expect(median).toBe(4);
    expect(growth).toBeCloseTo(4 * ((0.25 + 1) / 2), 10);
    // √(5 · 4 · 15 / 18) = 4.08; 2.576 of it is 10.5 places, more than there are.
    expect([lower, upper]).toEqual([4 * (slopes[0] ?? 0), 4 * (slopes[9] ?? 0)]);
  });

  test('of a leak is noticed through noise, pauses and outliers', () => {
    const leaks: Record<string, (minutes: number, random: Random) => number> = {
      plain: (minutes) => 12 * minutes,
      noisy: (minutes, random) => 12 * minutes + noise(random, 4),
      'in steps': (minutes) => 12 * Math.floor(minutes * 6) * (1 / 6),
      'with a tooth': (minutes) => 12 * minutes + 6 * ((minutes * 7) % 1),
      'with outliers': (minutes, random) => 12 * minutes + (random.next() < 0.1 ? -40 : noise(random, 2)),
    };
    for (const [name, leak] of Object.entries(leaks)) {
      for (let seed = 1; seed <= 20; seed++) {
        const trend = trendOf(series(leak, seed), HEAP);
        expect(trend.grows, `${name}, seed ${seed}: ${JSON.stringify(trend)}`).toBe(true);
      }
    }
  });

  test('of what is flat is not taken for growth, however noisy', () => {
    const flat: Record<string, (minutes: number, random: Random) => number> = {
      still: () => 0,
      noisy: (_minutes, random) => noise(random, 20),
      'with a tooth': (minutes) => 15 * ((minutes * 5) % 1),
      'with outliers': (_minutes, random) => (random.next() < 0.1 ? 200 : noise(random, 2)),
      falling: (minutes, random) => -10 * minutes + noise(random, 4),
      // Partitions of a member that was restarted, for a while.
      'raised for a while': (minutes) => (minutes > 0.5 && minutes < 0.8 ? 20 : 0),
      'settling, less than is allowed': (minutes, random) => 3 * (1 - Math.exp(-3 * minutes)) + noise(random, 1),
    };
    for (const [name, still] of Object.entries(flat)) {
      for (let seed = 1; seed <= 20; seed++) {
        const trend = trendOf(series(still, seed), HEAP);
        expect(trend.grows, `${name}, seed ${seed}: ${JSON.stringify(trend)}`).toBe(false);
      }
    }
  });

  test('of a small leak needs a longer run, and is noticed there', () => {
    const leak = (minutes: number, random: Random): number => 0.5 * minutes + noise(random, 4);
    const long = series(leak).map(({ minutes }, index) => {
      const random = new Random(index);
      return { minutes: minutes * 20, value: 60 + leak(minutes * 20, random) };
    });
    expect(trendOf(series(leak), HEAP).grows).toBe(false);
    expect(trendOf(long, HEAP).grows).toBe(true);
  });
});

describe('the looks of a run', () => {
  const names = Object.keys(MEASURES) as MeasureName[];
  const looks = (leaking: MeasureName | null): Look[] =>
    Array.from({ length: LOOKS }, (_each, index) => {
      const minutes = (index / LOOKS) * 2;
      const values = names.map((name) => {
        const { share, least } = MEASURES[name];
        const grown = name === leaking ? Math.max(0, minutes - 0.8) * Math.max(least, share * 100) * 4 : 0;
        // What the beginning does is not judged.
        return [name, 100 + grown + (minutes < 0.8 ? minutes * 1_000 : 0)];
      });
      return { minutes, ...(Object.fromEntries(values) as Record<MeasureName, number>) };
    });

  test('are judged one by one, without the warm-up', () => {
    const growing = (leaking: MeasureName | null) =>
      judgeLooks(looks(leaking), 0.8)
        .filter(({ grows }) => grows)
        .map(({ measure }) => measure);
    expect(growing(null)).toEqual([]);
    for (const name of names) expect(growing(name)).toEqual([name]);
  });

  test('are shown with a verdict each', () => {
    const lines = tableOf(judgeLooks(looks('resources'), 0.8)).split('\n');
    expect(lines).toHaveLength(1 + names.length);
    expect(lines.filter((line) => line.endsWith('GROWS')).map((line) => line.split('  ')[0])).toEqual(['resources']);
  });
});
