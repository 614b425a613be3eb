import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCustomer } from '../../processors/customer/processor.ts';
import { TRIGGER_SETTINGS } from '../harness/definition-sets.ts';
import { CustomerDriver, DAY, definitionsWithTriggers, HOUR, MIDNIGHT } from './customer-fixture.ts';
import { tellHourByHour, type Happening, type ToldLine } from './trigger-oracle.ts';

const SETTINGS = {
  ...TRIGGER_SETTINGS,
  cart_abandoned: { afterMinutes: 720 },
  browse_abandoned: { views: 2, afterMinutes: 600 },
  onboarding_stalled: { afterDays: 4, goal: 'orders' },
  replenishment_due: { orderDays: 2, factor: 0.75, minDays: 2 },
  win_back: { afterDays: 9 },
  post_purchase: { afterDays: 3 },
  milestone: { orders: [1, 2, 4] },
};
const processor = createCustomer(definitionsWithTriggers(SETTINGS));
const UNTIL = MIDNIGHT + 60 * DAY;

const type = fc.constantFrom<Happening['type']>(
  'PRODUCT_VIEW',
  'PRODUCT_VIEW',
  'CART_ADD',
  'ORDER_PLACED',
  'PAGE_VIEW',
);

/** `hours`: of the day at which something happens. Several may lie on one hour, no two of one type. */
const happenings = (hours: number) =>
  fc
    .uniqueArray(fc.record({ day: fc.integer({ min: 0, max: 30 }), hour: fc.integer({ min: 0, max: hours }), type }), {
      minLength: 1,
      maxLength: 16,
      selector: ({ day, hour, type: each }) => `${day} ${hour} ${each}`,
    })
    .map((drawn) =>
      drawn.map(({ day, hour, type: each }, place): Happening => {
        const at = MIDNIGHT + day * DAY + hour * HOUR;
        return { at, comes: at, type: each, orderId: `o-${place}` };
      }),
    );

/** Some of the orders are cancelled, each some hours after it was placed. */
const withCancellations = happenings(23).chain((all) => {
  const orders = all.filter((each) => each.type === 'ORDER_PLACED');
  const cancellations = fc.subarray(orders).chain((cancelled) =>
    fc.tuple(
      ...cancelled.map((order) =>
        fc.integer({ min: 1, max: 400 }).map((hours): Happening => {
          const at = order.at + hours * HOUR;
          return { ...order, type: 'ORDER_CANCELLED', at, comes: at };
        }),
      ),
    ),
  );
  return cancellations.map((more) => [...all, ...more].sort((a, b) => a.comes - b.comes));
});

function foldedIn(happening: readonly Happening[]): CustomerDriver {
  const driver = new CustomerDriver(processor);
  for (const { at, comes, type: each, orderId } of happening) {
    const order = each.startsWith('ORDER')
      ? { orderId, amountMinor: 100, currency: 'JPY', guest: false, items: [] }
      : null;
    driver.record(comes, { occurredAt: at, type: each, order });
  }
  return driver;
}

function told(happening: readonly Happening[]): ToldLine[] {
  return foldedIn(happening)
    .silence(UNTIL)
    .triggers.map(({ occurredAt, cause, trigger, change, causeAt, value }) =>
      [occurredAt, cause, trigger, change, causeAt ?? value].join(' '),
    );
}

const sorted = (lines: readonly ToldLine[]) => [...lines].sort();
const fired = (lines: readonly ToldLine[]) => sorted(lines.filter((line) => line.includes('FIRED')));

test('what is told, and when, is what a look at everything at each hour tells', () => {
  fc.assert(
    fc.property(withCancellations, (all) => {
      expect(sorted(told(all))).toEqual(sorted(tellHourByHour(all, SETTINGS, MIDNIGHT, UNTIL)));
    }),
    { numRuns: 300 },
  );
});

test('what is foretold to a person is what silence fires next', () => {
  fc.assert(
    fc.property(withCancellations, (all) => {
      const driver = foldedIn(all);
      const foretold = processor.inspect(driver.state, driver.state.at).triggers.pending;
      const before = driver.triggers.length;
      const next = new Map<string, unknown>();
      for (const { trigger, causeAt, dueAt } of driver.silence(UNTIL).triggers.slice(before))
        if (!next.has(trigger)) next.set(trigger, { trigger, causeAt, dueAt });
      const byDue = [...foretold].sort((a, b) => a.dueAt - b.dueAt);
      expect(foretold).toEqual(byDue);
      expect(new Map(foretold.map((each) => [each.trigger, each]))).toEqual(next);
    }),
    { numRuns: 100 },
  );
});

test('is the same in whatever order the events of a morning come', () => {
  const mornings = happenings(5).chain((all) => {
    const late = all.map((each) => ({ ...each, comes: each.at - (each.at % DAY) + 6 * HOUR }));
    const inOrder = [...late].sort((a, b) => a.comes - b.comes);
    return fc
      .shuffledSubarray(late, { minLength: late.length })
      .map((shuffled) => [inOrder, shuffled.sort((a, b) => a.comes - b.comes)] as const);
  });
  fc.assert(
    fc.property(mornings, ([inOrder, shuffled]) => {
      const expected = fired(tellHourByHour(inOrder, SETTINGS, MIDNIGHT, UNTIL));
      expect(fired(told(inOrder))).toEqual(expected);
      expect(fired(told(shuffled))).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

test('however late events come, nothing is fired twice for a cause, and only what was fired is cancelled', () => {
  const late = fc.tuple(
    withCancellations,
    fc.array(fc.integer({ min: 0, max: 600 }), { minLength: 40, maxLength: 40 }),
  );
  fc.assert(
    fc.property(late, ([all, delays]) => {
      const delayed = all
        .map((each, place) => ({ ...each, comes: each.at + (delays[place] ?? 0) * HOUR }))
        .sort((a, b) => a.comes - b.comes);
      const last = new Map<string, string | undefined>();
      for (const line of told(delayed)) {
        const [, , trigger = '', change, cause] = line.split(' ');
        const name = `${trigger} ${cause}`;
        // A number that is reached again is another cause.
        if (change === 'CANCELLED') expect(last.get(name)).toBe('FIRED');
        else if (trigger === 'milestone') expect(last.get(name)).not.toBe('FIRED');
        else expect(last.get(name)).toBeUndefined();
        last.set(name, change);
      }
    }),
    { numRuns: 200 },
  );
});
