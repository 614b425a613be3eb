import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader } from '../../processors/core/packing.ts';
import { LOYALTY } from '../../processors/customer/loyalty.ts';
import { Postings } from '../../processors/customer/postings.ts';
import type { Interaction } from '../../schemas/types.ts';
import { CustomerDriver, DAY, definitionsWithJourney, HOUR, MIDNIGHT } from './customer-fixture.ts';

const T = MIDNIGHT + 10 * HOUR;
const ALONE = { stages: null, lifecycle: null };

const earn = (points: number): Partial<Interaction> => ({
  type: 'POINTS_EARNED',
  channel: 'LOYALTY',
  attributes: { points: String(points) },
});
const ENROL: Partial<Interaction> = { type: 'LOYALTY_ENROLLED', channel: 'LOYALTY' };

function member(segments: Record<string, Record<string, unknown>> = {}): CustomerDriver {
  return new CustomerDriver(definitionsWithJourney(segments, ALONE));
}

describe('the loyalty programme', () => {
  test('gives the highest tier that is reached, and takes it by silence, with traits', () => {
    const driver = member({ silver: { 'loyalty.tier': 'silver' }, rich: { 'loyalty.points': { $gte: 600 } } })
      .record(T, ENROL)
      .record(T + DAY, earn(499))
      .record(T + 2 * DAY, earn(1))
      .record(T + 3 * DAY, earn(100));
    expect(driver.view(T + 3 * DAY).loyalty).toEqual({ tier: 'silver', points: 600 });
    driver.record(T + 4 * DAY, { type: 'POINTS_REDEEMED', attributes: { points: '550' } });
    expect(driver.view(T + 4 * DAY).loyalty).toEqual({ tier: 'silver', points: 50 });
    driver.silence(T + 400 * DAY);
    // The 499 points leave the window of 365 days.
    const fall = MIDNIGHT + 367 * DAY;
    expect(driver.memberships.map(({ at, changes }) => [at, changes])).toEqual([
      [T + 2 * DAY, ['+silver']],
      [T + 3 * DAY, ['+rich']],
      [T + 4 * DAY, ['-rich']],
      [fall, ['-silver']],
    ]);
    expect(driver.traits.at(-1)).toMatchObject({
      occurredAt: fall,
      loyalty: { enrolledAt: T, tier: 'member', tierSince: fall, points: 50 },
    });
    expect(driver.processor.state.summarize(new ByteReader(driver.packed()))).toMatchObject({ tier: 'member' });
  });

  test('knows no guest, and counts what a guest earned once enrolled, however late that is told', () => {
    const driver = member().record(T, earn(700));
    expect(driver.view(T).loyalty).toBeUndefined();
    driver.record(T + 2 * DAY, { ...ENROL, occurredAt: T + DAY });
    expect(driver.view(T + 2 * DAY).loyalty).toEqual({ tier: 'silver', points: 700 });
    driver.record(T + 3 * DAY, { ...ENROL, occurredAt: T }).record(T + 4 * DAY, ENROL);
    expect(driver.traits.at(-1)?.loyalty?.enrolledAt).toBe(T);
  });

  test('is the same in whatever order events come, and counts what comes twice once', () => {
    const happened = [
      ENROL,
      earn(300),
      earn(250),
      earn(-60),
      { type: 'POINTS_REDEEMED' as const, attributes: { points: '40' } },
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), (order) => {
        const driver = member();
        for (const [index, each] of order.entries()) {
          const changes = { ...happened[each], eventId: `e${each}`, occurredAt: T + each * HOUR };
          driver.record(T + 5 * HOUR + index, changes).record(T + 5 * HOUR + index, changes);
        }
        driver.silence(T + 6 * HOUR);
        expect(driver.view(T + 6 * HOUR).loyalty).toEqual({ tier: 'member', points: 450 });
        expect(driver.traits.at(-1)?.loyalty?.enrolledAt).toBe(T);
      }),
    );
  });

  test('of a brand without one is nothing', () => {
    const driver = new CustomerDriver(definitionsWithJourney({}, { ...ALONE, loyalty: null })).record(T, ENROL);
    expect(driver.view(T).loyalty).toBeUndefined();
    expect(driver.processor.nextDue(driver.state)).toBeGreaterThan(T + 300 * DAY);
  });

  test('has two customers who are one since the earlier enrolment', () => {
    const into = { ...LOYALTY.initial(), enrolledAt: 50 };
    LOYALTY.merge(into, { ...LOYALTY.initial(), enrolledAt: 20 }, new Postings());
    LOYALTY.merge(into, LOYALTY.initial(), new Postings());
    expect(into.enrolledAt).toBe(20);
  });
});
