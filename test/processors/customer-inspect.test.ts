import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { InspectedSegment } from '../../processors/customer/inspect.ts';
import { createCustomer } from '../../processors/customer/processor.ts';
import { CustomerDriver, DAY, definitions, HOUR, MIDNIGHT, MINUTE } from './customer-fixture.ts';

const T = MIDNIGHT + 10 * HOUR + 7 * MINUTE;

const order = (id: string) => ({
  type: 'ORDER_PLACED' as const,
  order: { orderId: id, amountMinor: 5000, currency: 'JPY', guest: false, items: [] },
});

function only(segments: readonly InspectedSegment[], id: string): InspectedSegment {
  const found = segments.find(({ segmentId }) => segmentId === id);
  if (found === undefined) throw new Error(`no segment ${id}`);
  return found;
}

describe('why a customer is in a segment, and until when', () => {
  const SEGMENTS = {
    'second-order': { 'traits.orders.30d': { $gte: 2 }, 'traits.complaints.30d': 0 },
    lapsed: { $nor: [{ segments: 'second-order' }, { 'ages.interactions': { $lt: 3 } }] },
  };

  test('every leaf has its value and the instant at which silence turns it', () => {
    const driver = new CustomerDriver(definitions(SEGMENTS)).record(T, order('a')).record(T + 2 * DAY, order('b'));
    const now = T + 2 * DAY + HOUR;
    const { asOf, isRedefined, segments } = driver.processor.inspect(driver.state, now);
    expect({ asOf, isRedefined }).toEqual({ asOf: T + 2 * DAY, isRedefined: false });
    // The day of the first order leaves the window of 30 days; three days after the second order an age is reached.
    const left = MIDNIGHT + 31 * DAY;
    expect(segments).toEqual([
      {
        segmentId: 'lapsed',
        isMember: false,
        nextFlipAt: left,
        leaves: [
          {
            ...{ path: 'segments', value: true, comparison: 'does not contain "second-order"' },
            ...{ holds: false, nextFlipAt: left },
          },
          {
            ...{ path: 'ages.interactions', value: 0, comparison: 'not < 3' },
            ...{ holds: false, nextFlipAt: T + 5 * DAY },
          },
        ],
      },
      {
        segmentId: 'second-order',
        isMember: true,
        nextFlipAt: left,
        leaves: [
          { path: 'traits.orders.30d', value: 2, comparison: '>= 2', holds: true, nextFlipAt: left },
          { path: 'traits.complaints.30d', value: 0, comparison: '= 0', holds: true, nextFlipAt: null },
        ],
      },
    ]);
  });

  test('as of an instant after deadlines that nobody applied yet, leaving the state as it was', () => {
    const driver = new CustomerDriver(definitions(SEGMENTS)).record(T, order('a')).record(T + HOUR, order('b'));
    const before = driver.packed();
    const { profile, segments } = driver.processor.inspect(driver.state, T + 100 * DAY);
    expect(driver.packed()).toEqual(before);
    expect(profile.segments).toEqual(['lapsed']);
    expect(profile.traits.orders).toMatchObject({ '30d': 0, '365d': 2 });
    expect(only(segments, 'lapsed')).toMatchObject({ isMember: true, nextFlipAt: null });
    expect(driver.silence(T + 100 * DAY).view(T + 100 * DAY)).toEqual(profile);
  });

  test('by the definitions of now, even if the customer was last evaluated under others', () => {
    const driver = new CustomerDriver(definitions(SEGMENTS)).record(T, order('a')).record(T + HOUR, order('b'));
    const later = createCustomer(definitions({ twice: { 'traits.orders.24h': 2 } }, 'definitions-2'));
    const { isRedefined, profile, segments } = later.inspect(driver.state, T + 2 * HOUR);
    expect({ isRedefined, members: profile.segments }).toEqual({ isRedefined: true, members: ['twice'] });
    const flip = Math.floor(T / HOUR) * HOUR + 25 * HOUR;
    expect(segments).toMatchObject([{ segmentId: 'twice', isMember: true, nextFlipAt: flip }]);
  });
});

// One leaf each, so that a leaf flips when its segment does, which the processor itself publishes.
const LEAVES = {
  age: { 'ages.page_views': { $gte: 2 } },
  clicker: { 'ratios.ctr.7d': { $gt: 0.4 } },
  exact: { 'traits.page_views.24h': 2 },
  few: { 'traits.page_views.1h': { $lt: 2 } },
  risky: { 'churn.probability': { $gte: 0.6 } },
  spender: { 'traits.revenue.30d': { $gte: 6000 } },
  unsent: { 'ratios.open_rate.30d': { $exists: false } },
};
const TYPES = ['PAGE_VIEW', 'PAGE_VIEW', 'ORDER_PLACED', 'MESSAGE_DELIVERED', 'MESSAGE_CLICKED'] as const;
const gap = fc.oneof(
  fc.integer({ min: 0, max: 2 * HOUR }),
  fc.integer({ min: 0, max: 3 * DAY }),
  fc.integer({ min: 0, max: 40 * DAY }),
);

test('what is foretold is what silence publishes, to the millisecond', () => {
  const processor = createCustomer(definitions(LEAVES));
  const steps = fc.array(fc.record({ gap, type: fc.constantFrom(...TYPES) }), { minLength: 1, maxLength: 12 });
  const foretold = fc.property(steps, gap, (events, rest) => {
    const driver = new CustomerDriver(processor);
    let at = T;
    events.forEach(({ gap: passed, type }, index) => {
      at += passed;
      driver.record(at, type === 'ORDER_PLACED' ? order(`o-${index}`) : { type });
    });
    const now = at + rest;
    const { segments, profile } = processor.inspect(driver.state, now);
    driver.silence(now);
    expect(profile).toEqual(driver.view(now));
    const published = driver.memberships.length;
    driver.silence(now + 1_000 * DAY);
    const changes = driver.memberships.slice(published);
    for (const { segmentId, isMember, nextFlipAt, leaves } of segments) {
      expect(isMember).toBe(profile.segments.includes(segmentId));
      const flip = changes.find((each) => each.changes.some((change) => change.slice(1) === segmentId));
      expect([segmentId, nextFlipAt]).toEqual([segmentId, flip?.at ?? null]);
      expect(leaves.map((leaf) => leaf.nextFlipAt)).toEqual([nextFlipAt]);
      expect(leaves.map((leaf) => leaf.holds)).toEqual([isMember]);
    }
  });
  fc.assert(foretold, { numRuns: 150 });
});
