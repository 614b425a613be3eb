import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OpenState } from '../../processors/customer/open-state.ts';
import { createCustomer } from '../../processors/customer/processor.ts';
import { customerTotals } from '../../processors/customer/totals.ts';
import type { BrandPartial, Interaction } from '../../schemas/types.ts';
import { CustomerDriver, DAY, definitions, HOUR, MIDNIGHT, MINUTE } from './customer-fixture.ts';

/** When the first record comes; every event happened before, some of them before the day ring begins. */
const NOW = MIDNIGHT + 10 * HOUR;
const END = NOW + 3 * DAY;

const processor = createCustomer(
  definitions({
    buyers: { 'traits.orders.lifetime': { $gte: 1 } },
    spending: { 'traits.revenue.30d': { $gte: 1000 } },
    lapsing: { 'ages.orders': { $gte: 20 } },
    risky: { 'churn.band': { $in: ['MEDIUM', 'HIGH'] } },
  }),
);

/** One order as it is told, and what becomes of it. */
interface Told {
  readonly placedAt: number | null;
  readonly amountMinor: number;
  readonly currency: string;
  readonly guest: boolean;
  /** How often the very same order is told. */
  readonly placings: number;
  readonly cancelledAt: readonly number[];
  readonly refunds: readonly { readonly at: number; readonly amountMinor: number; readonly currency: string }[];
}

const past = fc.oneof(
  fc.integer({ min: 1, max: 3 * HOUR }),
  fc.integer({ min: 1, max: 360 * DAY }),
  fc.integer({ min: 0, max: 500 }).map((days) => 10 * HOUR + days * DAY),
);
const at = past.map((ago) => NOW - ago);
const currency = fc.constantFrom('JPY', 'JPY', 'JPY', 'EUR');
const told: fc.Arbitrary<Told> = fc.record({
  placedAt: fc.option(at, { freq: 8 }),
  amountMinor: fc.integer({ min: 0, max: 2000 }),
  currency,
  guest: fc.boolean(),
  placings: fc.integer({ min: 1, max: 3 }),
  cancelledAt: fc.oneof(fc.constant([]), fc.array(at, { minLength: 1, maxLength: 2 })),
  // Up to 8 are remembered one by one, and 16 of orders still to come.
  refunds: fc.array(fc.record({ at, amountMinor: fc.integer({ min: 0, max: 900 }), currency }), { maxLength: 3 }),
});

interface Step {
  readonly eventId: string;
  readonly type: 'ORDER_PLACED' | 'ORDER_CANCELLED' | 'ORDER_REFUNDED';
  readonly occurredAt: number;
  readonly order: NonNullable<Interaction['order']>;
}

function stepsOf(orders: readonly Told[]): Step[] {
  return orders.flatMap((each, index) => {
    const orderId = `o-${index}`;
    const step = (type: Step['type'], occurredAt: number, changes: object, repeat = 0): Step => ({
      eventId: `${orderId}-${type}-${repeat}`,
      type,
      occurredAt,
      order: { orderId, amountMinor: 0, currency: 'JPY', guest: false, items: [], ...changes },
    });
    const { placedAt, amountMinor, currency: placedIn, guest } = each;
    const placings = placedAt === null ? 0 : each.placings;
    return [
      ...Array.from({ length: placings }, (_each, repeat) =>
        step('ORDER_PLACED', placedAt ?? 0, { amountMinor, currency: placedIn, guest }, repeat),
      ),
      ...each.cancelledAt.map((cancelledAt, repeat) => step('ORDER_CANCELLED', cancelledAt, {}, repeat)),
      ...each.refunds.map(({ at: refundedAt, ...refund }, repeat) =>
        step('ORDER_REFUNDED', refundedAt, refund, repeat),
      ),
    ];
  });
}

/** A record a minute, in the order given. */
function play(steps: readonly Step[]): CustomerDriver {
  const driver = new CustomerDriver(processor);
  for (const [index, step] of steps.entries()) driver.record(NOW + index * MINUTE, step);
  return driver.silence(END);
}

const SPANS = {
  ...{ '1h': [HOUR / 12, 12], '24h': [HOUR, 24], '7d': [HOUR, 168] },
  ...{ '30d': [DAY, 30], '90d': [DAY, 90], '365d': [DAY, 365], lifetime: [1, Infinity] },
};
const isInYear = (each: number): boolean => Math.floor(each / DAY) >= Math.floor(END / DAY) - 365;

function windowsOf(entries: readonly { readonly at: number; readonly amount: number }[]): Record<string, number> {
  const windows = Object.entries(SPANS).map(([window, [hop = 1, hops = 0]]) => {
    const isIn = (each: number): boolean => Math.floor(each / hop) >= Math.floor(END / hop) - hops;
    return [window, entries.reduce((sum, each) => sum + (isIn(each.at) ? each.amount : 0), 0)];
  });
  return Object.fromEntries(windows) as Record<string, number>;
}

/** What orders come to, by nothing but what is told of each, whatever came first. */
function expected(orders: readonly Told[], steps: readonly Step[]) {
  const counted = orders.filter(({ placedAt, cancelledAt }) => placedAt !== null && cancelledAt.length === 0);
  const days = new Set(counted.map(({ placedAt }) => Math.floor((placedAt ?? 0) / DAY)));
  const times = counted.map(({ placedAt }) => placedAt ?? 0);
  const placed = counted.map((each) => ({ ...each, at: each.placedAt ?? 0 }));
  const refunds = orders.flatMap((each) => each.refunds);
  const revenue = [
    ...placed.map((each) => ({ at: each.at, amount: each.amountMinor, currency: each.currency })),
    ...orders
      .filter(({ cancelledAt }) => cancelledAt.length === 0)
      .flatMap((each) => each.refunds.map((refund) => ({ ...refund, amount: -refund.amountMinor }))),
  ].filter((each) => each.currency === 'JPY');
  const ageOf = (all: readonly { readonly at: number }[]): number | undefined =>
    all.length === 0 ? undefined : Math.floor((END - Math.max(...all.map((each) => each.at))) / DAY);
  const repeats = orders.reduce((sum, each) => sum + (each.placedAt === null ? 0 : each.placings - 1), 0);
  return {
    facts: {
      days: days.size,
      firstAt: times.length === 0 ? -1 : Math.min(...times),
      lastAt: Math.max(-1, ...times),
      revenueAt: Math.max(-1, ...revenue.map((each) => each.at)),
    },
    orders: windowsOf(placed.map((each) => ({ at: each.at, amount: 1 }))),
    revenue: windowsOf(revenue),
    refunds: windowsOf(refunds.map((each) => ({ at: each.at, amount: 1 }))),
    interactions: steps.length - repeats,
    ages: { orders: ageOf(placed), revenue: ageOf(revenue), refunds: ageOf(refunds) },
    // What only the brand counts, in its days.
    guests: placed.filter((each) => each.guest && isInYear(each.at)).length,
    foreign: placed.filter((each) => each.currency !== 'JPY' && isInYear(each.at)).length,
    repeats,
  };
}

function found(driver: CustomerDriver) {
  const { traits, ages } = driver.view(END);
  const open = new OpenState();
  open.open(driver.state);
  const partials = customerTotals.ledger?.publish(driver.totals, END, 0) ?? [];
  const amounts = partials.map(({ value }) => value as BrandPartial).find(({ dimension }) => dimension === 'brand');
  return {
    facts: open.facts,
    orders: traits.orders,
    revenue: traits.revenue,
    refunds: traits.refunds,
    interactions: traits.interactions.lifetime,
    ages: { orders: ages.orders, revenue: ages.revenue, refunds: ages.refunds },
    guests: amounts?.amounts['guestOrders'] ?? 0,
    foreign: amounts?.amounts['otherCurrencyOrders'] ?? 0,
    repeats: driver.outcomes.filter((each) => each === 'duplicate_order').length,
  };
}

const shuffling = (steps: readonly Step[]): fc.Arbitrary<Step[]> =>
  fc.shuffledSubarray([...steps], { minLength: steps.length, maxLength: steps.length });

describe('orders placed, repeated, cancelled before and after, refunded in part, in any currency', () => {
  test('end, in any order, in the sums, facts and ages of counting what was told of each', () => {
    const anyOrder = fc
      .array(told, { minLength: 1, maxLength: 5 })
      .chain((orders) => fc.tuple(fc.constant(orders), shuffling(stepsOf(orders))));
    fc.assert(
      fc.property(anyOrder, ([orders, steps]) => {
        fc.pre(steps.length > 0);
        expect(found(play(steps))).toEqual(expected(orders, steps));
      }),
      { numRuns: 300 },
    );
  });

  test('end, in any order, in the same profile: churn, stage and segments too', () => {
    const twoOrders = fc
      .array(told, { minLength: 1, maxLength: 4 })
      .map(stepsOf)
      .chain((steps) => fc.tuple(shuffling(steps), shuffling(steps)));
    fc.assert(
      fc.property(twoOrders, ([one, other]) => {
        fc.pre(one.length > 0);
        const [a, b] = [play(one), play(other)].map((driver) => {
          // Sessions take in what is less than a day late, by arrival.
          const { traits, ages, ...rest } = { ...driver.view(END), visits: null };
          return { ...rest, traits: { ...traits, sessions: null }, ages: { ...ages, sessions: null } };
        });
        expect(a).toEqual(b);
      }),
      { numRuns: 100 },
    );
  });
});

/** Orders of one day each, the newest first. */
const many = Array.from({ length: 90 }, (_each, index): Step => {
  const order = { orderId: `o-${index}`, amountMinor: 100 + index, currency: 'JPY', guest: false, items: [] };
  return { eventId: `p-${index}`, type: 'ORDER_PLACED', occurredAt: NOW - (index + 1) * DAY, order };
});
const of = (type: Step['type'], index: number, eventId: string, amountMinor = 0): Step => {
  const order = { ...(many[index]?.order ?? many[0]?.order ?? missing()), amountMinor };
  return { eventId, type, occurredAt: NOW - MINUTE, order };
};
function missing(): never {
  throw new Error('no such order');
}

describe('where memory ends', () => {
  test('more orders than are remembered end the same in any order, with cancellations of the newest after they came', () => {
    // The 30 newest stay remembered, whatever comes before or after them.
    const cancelled = Array.from({ length: 30 }, (_each, index) => of('ORDER_CANCELLED', index, `c-${index}`));
    const straight = found(play([...many, ...cancelled]));
    expect([straight.facts.days, straight.orders['365d']]).toEqual([60, 60]);
    fc.assert(
      fc.property(shuffling(many), shuffling(cancelled), (placed, then) => {
        expect(found(play([...placed, ...then]))).toEqual(straight);
      }),
      { numRuns: 20 },
    );
  });

  test('a cancellation before its order is unknown once 64 are remembered: the order then counts', () => {
    const [last] = many;
    const before = play([...many.slice(1), of('ORDER_CANCELLED', 0, 'c'), last ?? missing()]);
    expect(before.outcomes.filter((each) => each === 'unknown_order')).toHaveLength(1);
    expect(found(before).orders.lifetime).toBe(90);
    expect(found(play([...many, of('ORDER_CANCELLED', 0, 'c')])).orders.lifetime).toBe(89);
  });

  test('an order older than all that are remembered counts again when it is repeated, one that is remembered never', () => {
    const repeat = (index: number): Step => ({ ...(many[index] ?? missing()), eventId: `again-${index}` });
    expect(found(play([...many, repeat(63)])).orders.lifetime).toBe(90);
    expect(found(play([...many, repeat(64)])).orders.lifetime).toBe(91);
  });

  test('an order told twice with other words is the one that came first', () => {
    const [one] = many;
    if (one === undefined) throw new Error('no order');
    const other = {
      ...one,
      eventId: 'other',
      occurredAt: one.occurredAt - DAY,
      order: { ...one.order, amountMinor: 7 },
    };
    expect([found(play([one, other])).revenue.lifetime, found(play([other, one])).revenue.lifetime]).toEqual([100, 7]);
  });

  test('the ninth refund and later ones of one order are given back at the time of the last: sums since ever in any order', () => {
    const refunds = Array.from({ length: 12 }, (_each, index) => {
      const refund = of('ORDER_REFUNDED', 0, `r-${index}`, 10 + index);
      return { ...refund, occurredAt: NOW - index * 20 * DAY };
    });
    const steps = [many[0] ?? missing(), ...refunds, of('ORDER_CANCELLED', 0, 'c')];
    const isLasting: boolean[] = [];
    fc.assert(
      fc.property(shuffling(steps), (each) => {
        const { revenue, refunds: counted, orders } = found(play(each));
        expect([revenue.lifetime, counted.lifetime, orders.lifetime]).toEqual([0, 12, 0]);
        isLasting.push(revenue['30d'] !== 0);
      }),
      { numRuns: 50 },
    );
    // The windows show it: what was taken at one time came back at another.
    expect(isLasting).toContain(true);
  });

  test('refunds of more than 16 orders still to come stay taken off when such an order turns out to be cancelled', () => {
    const early = Array.from({ length: 17 }, (_each, index) => of('ORDER_REFUNDED', index, `r-${index}`, 1));
    const cancelled = early.map((_each, index) => of('ORDER_CANCELLED', index, `c-${index}`));
    const orders = many.slice(0, 17);
    expect(found(play([...orders, ...early, ...cancelled])).revenue.lifetime).toBe(0);
    // The first of the refunds was forgotten: nothing knows that it was of an order.
    expect(found(play([...early, ...orders, ...cancelled])).revenue.lifetime).toBe(-1);
  });
});
