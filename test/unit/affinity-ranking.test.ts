import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addToRanking,
  mergeRankings,
  newRanking,
  tellFirst,
  toldKeys,
  type Ranking,
} from '../../processors/customer/affinity-ranking.ts';
import { localHours } from '../../processors/customer/local-hours.ts';

const DAY = 86_400_000;
const HALF_LIFE = 30 * DAY;
const START = Date.UTC(2026, 0, 1);

type Event = readonly [key: string, points: number, at: number];

function rankingOf(events: readonly Event[], capacity = 8, halfLifeMs = HALF_LIFE): Ranking {
  const ranking = newRanking();
  for (const [key, points, at] of events) addToRanking(ranking, key, points, at, halfLifeMs, capacity);
  return ranking;
}

function weightsOf(ranking: Ranking, halfLifeMs = HALF_LIFE): [string, number][] {
  const everything = { ...ranking, told: ranking.entries.length };
  return toldKeys(everything, halfLifeMs).map(({ key, weight }) => [key, weight]);
}

const events = fc.array(
  fc.tuple(
    fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: START, max: START + 19 * HALF_LIFE }),
  ),
  { minLength: 1, maxLength: 40 },
);

describe('weights decay forward', () => {
  test('and equal what a backward exponential decay says (Cormode et al. 2009, section III)', () => {
    fc.assert(
      fc.property(events, (happened) => {
        const ranking = rankingOf(happened);
        const expected = new Map<string, number>();
        for (const [key, points, at] of happened) {
          const weight = points * 2 ** (-(ranking.lastAt - at) / HALF_LIFE);
          expected.set(key, (expected.get(key) ?? 0) + weight);
        }
        for (const [key, weight] of weightsOf(ranking)) {
          expect(Math.abs(weight - (expected.get(key) ?? 0))).toBeLessThan(1e-4 * weight);
        }
        expect(ranking.entries).toHaveLength(expected.size);
      }),
    );
  });

  test('by half in a half-life, wherever in it the events lie', () => {
    const at = START + 7 * DAY;
    expect(
      weightsOf(
        rankingOf([
          ['old', 8, at],
          ['new', 1, at + 3 * HALF_LIFE],
        ]),
      ),
    ).toEqual([
      ['new', 1],
      ['old', 1],
    ]);
  });

  test('to nothing, in whichever order: a key of a thousand half-lives ago is gone', () => {
    const long = [START, START + 1_200 * DAY] as const;
    for (const [first, second] of [long, long.toReversed()]) {
      const ranking = rankingOf(
        [
          [`${first}`, 5, first ?? 0],
          [`${second}`, 5, second ?? 0],
        ],
        8,
        DAY,
      );
      expect(ranking.entries.map(({ key }) => key)).toEqual([`${long[1]}`]);
    }
  });
});

describe('a ranking', () => {
  test('is the same to the last bit in any order, while nothing had to go', () => {
    fc.assert(
      fc.property(
        events.chain((happened) =>
          fc.tuple(fc.constant(happened), fc.shuffledSubarray(happened, { minLength: happened.length })),
        ),
        ([happened, shuffled]) => {
          expect(rankingOf(shuffled)).toEqual(rankingOf(happened));
        },
      ),
    );
  });

  test('of equal weights tells the one turned to last first, then by text', () => {
    const ranking = rankingOf([
      ['b', 1, START],
      ['a', 1, START],
      ['c', 2, START - HALF_LIFE],
    ]);
    expect(ranking.entries.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
  });

  test('with room for two replaces the least (Metwally et al. 2005, example 1)', () => {
    const ranking = rankingOf(
      [
        ['X', 1, START],
        ['Y', 1, START],
        ['Y', 1, START],
        ['Z', 1, START],
      ],
      2,
    );
    const unit = ranking.entries.find(({ key }) => key === 'Y')?.weight ?? 0;
    expect(ranking.entries.map(({ key, weight, error }) => [key, weight / (unit / 2), error / (unit / 2)])).toEqual([
      ['Y', 2, 0],
      ['Z', 2, 1],
    ]);
  });

  test('always has whatever holds more than its share of the weight, too large by at most the error', () => {
    const keys = fc.array(fc.constantFrom(...'abcdefghijklmnopqrst'), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(keys, (seen) => {
        const ranking = rankingOf(seen.map((key, index) => [key, 1, START + index]));
        const exact = rankingOf(
          seen.map((key, index) => [key, 1, START + index]),
          100,
        );
        const total = exact.entries.reduce((sum, { weight }) => sum + weight, 0);
        expect(ranking.entries.length).toBeLessThanOrEqual(8);
        for (const { key, weight } of exact.entries) {
          const kept = ranking.entries.find((each) => each.key === key);
          if (kept === undefined) expect(weight).toBeLessThanOrEqual(total / 8);
          else {
            expect(kept.weight).toBeGreaterThanOrEqual(weight);
            expect(kept.weight - kept.error).toBeLessThanOrEqual(weight);
          }
        }
      }),
    );
  });

  test('tells at most three keys, of enough weight at the newest event', () => {
    const ranking = rankingOf(['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd', 'e'].map((key): Event => [key, 1, START]));
    const told = (minimumWeight: number): number => {
      tellFirst(ranking, { minimumWeight, halfLifeMs: HALF_LIFE });
      return ranking.told;
    };
    expect([told(0), told(2), told(2.01)]).toEqual([3, 3, 0]);
  });
});

describe('the rankings of two customers who are one', () => {
  test('are the ranking of all events, in whatever order they are merged', () => {
    fc.assert(
      fc.property(events, events, events, (one, two, three) => {
        const merged = rankingOf(one);
        mergeRankings(merged, rankingOf(two), HALF_LIFE, 8);
        mergeRankings(merged, rankingOf(three), HALF_LIFE, 8);
        const otherwise = rankingOf(three);
        mergeRankings(otherwise, rankingOf(one), HALF_LIFE, 8);
        mergeRankings(otherwise, rankingOf(two), HALF_LIFE, 8);
        expect(merged).toEqual(rankingOf([...one, ...two, ...three]));
        expect(otherwise).toEqual(merged);
        mergeRankings(merged, newRanking(), HALF_LIFE, 8);
        expect(otherwise).toEqual(merged);
      }),
    );
  });

  test('keep their bounds when there is not room for all, the same both ways', () => {
    const many = (prefix: string): Event[] =>
      Array.from({ length: 14 }, (_, index) => [`${prefix}${index % 11}`, 1 + (index % 3), START + index * DAY]);
    const [one, two] = [many('a'), [...many('b'), ...many('a').slice(0, 3)]];
    const merged = rankingOf(one);
    mergeRankings(merged, rankingOf(two), HALF_LIFE, 8);
    const otherWay = rankingOf(two);
    mergeRankings(otherWay, rankingOf(one), HALF_LIFE, 8);
    expect(otherWay).toEqual(merged);
    expect(merged.entries).toHaveLength(8);
    const exact = rankingOf([...one, ...two], 100);
    for (const { key, weight, error } of merged.entries) {
      const truth = exact.entries.find((each) => each.key === key)?.weight ?? 0;
      expect(weight).toBeGreaterThanOrEqual(truth);
      expect(weight - error).toBeLessThanOrEqual(truth);
    }
  });
});

describe('the hour by the clock of a time zone', () => {
  test.each([
    ['UTC', '2026-07-01T23:59:59.999Z', 23],
    ['Asia/Tokyo', '2026-07-01T15:00:00Z', 0],
    ['Asia/Kathmandu', '2026-07-01T00:14:59Z', 5],
    ['Asia/Kathmandu', '2026-07-01T00:15:00Z', 6],
    ['Europe/Berlin', '2026-03-29T00:59:59Z', 1],
    ['Europe/Berlin', '2026-03-29T01:00:00Z', 3],
    ['Europe/Berlin', '2026-10-25T00:30:00Z', 2],
    ['Europe/Berlin', '2026-10-25T01:30:00Z', 2],
    ['America/New_York', '1970-01-01T00:00:00Z', 19],
  ])('in %s at %s is %i', (timeZone, at, hour) => {
    expect(localHours(timeZone)(Date.parse(at))).toBe(hour);
  });

  test('remembers a bounded number of hours, and is right beyond', () => {
    const hourOf = localHours('Asia/Tokyo');
    for (let quarter = 0; quarter < 5_000; quarter++)
      expect(hourOf(quarter * 900_000)).toBe((Math.floor(quarter / 4) + 9) % 24);
  });
});
