import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCustomer } from '../../processors/customer/processor.ts';
import { OpenParts } from '../../processors/customer/parts.ts';
import { Postings } from '../../processors/customer/postings.ts';
import { VISITS } from '../../processors/customer/visits.ts';
import type { Interaction } from '../../schemas/types.ts';
import { Customers } from './identity-driver.ts';
import { CustomerDriver, DAY, definitions, HOUR, MIDNIGHT, MINUTE, partials } from './customer-fixture.ts';

const T = MIDNIGHT + 10 * HOUR + 7 * MINUTE;

function sessions(driver: CustomerDriver, at: number): number[] {
  const { sessions: sums } = driver.view(at).traits;
  return [sums['1h'], sums['24h'], sums.lifetime];
}

function ofBrand({ totals }: CustomerDriver, at: number): object {
  return partials(totals, at)['brand all'] ?? {};
}

describe('sessions of a customer', () => {
  test('count when they begin, and close at the end of 30 minutes of silence', () => {
    const driver = new CustomerDriver(definitions({ back: { 'traits.sessions.24h': { $gte: 2 } } }))
      .record(T)
      .record(T + 20 * MINUTE);
    expect(sessions(driver, T + 20 * MINUTE)).toEqual([1, 1, 1]);
    driver.silence(T + 50 * MINUTE - 1);
    expect(ofBrand(driver, T + 50 * MINUTE - 1)).not.toHaveProperty('sessions');
    driver.silence(T + 50 * MINUTE);
    expect(driver.wakeups.at(-1)).toBe(T + 50 * MINUTE);
    expect(ofBrand(driver, T + 50 * MINUTE)).toMatchObject({ sessions: 1, engagedSessions: 1 });
    driver.record(T + 50 * MINUTE, { type: 'SEARCH' });
    expect(sessions(driver, T + 50 * MINUTE)).toEqual([2, 2, 2]);
    expect(driver.memberships.at(-1)).toMatchObject({ at: T + 50 * MINUTE, changes: ['+back'] });
  });

  test('that a late event joins are one again, in what was counted of the brand as well', () => {
    const driver = new CustomerDriver(definitions({ back: { 'traits.sessions.24h': { $gte: 2 } } }))
      .record(T)
      .record(T + 50 * MINUTE)
      .silence(T + 3 * HOUR);
    expect(ofBrand(driver, T + 3 * HOUR)).toMatchObject({ sessions: 2 });
    driver.record(T + 3 * HOUR, { occurredAt: T + 25 * MINUTE });
    expect(driver.memberships.at(-1)?.changes).toEqual(['-back']);
    expect(sessions(driver, T + 3 * HOUR)).toEqual([0, 1, 1]);
    expect(ofBrand(driver, T + 3 * HOUR)).toMatchObject({ sessions: 1, engagedSessions: 1 });
  });

  test('are not begun by what came twice, more than a day late, by a machine or elsewhere', () => {
    const driver = new CustomerDriver(definitions({})).record(T + 2 * DAY, { eventId: 'same' });
    driver
      .record(T + 2 * DAY + 5, { eventId: 'same' })
      .record(T + 2 * DAY + 6, { occurredAt: T })
      .record(T + 2 * DAY + 2 * HOUR, { machineGenerated: true })
      .record(T + 2 * DAY + 3 * HOUR, { type: 'MESSAGE_OPENED', channel: 'EMAIL' })
      .record(T + 2 * DAY + 4 * HOUR, {
        type: 'ORDER_PLACED',
        channel: 'STORE',
        order: { orderId: 'o', amountMinor: 1, currency: 'JPY', guest: false, items: [] },
      });
    expect(sessions(driver, T + 3 * DAY)).toEqual([0, 1, 1]);
  });

  test('that go on under another identifier are one, whenever the link comes, and two again once it is undone', () => {
    const processor = createCustomer(definitions({}));
    const closed = (customers: Customers, at: number): number => {
      return partials(customers.silence(at).totals, at)['brand all']?.['sessions'] ?? 0;
    };
    const until = T + 3 * HOUR;
    // At once, while the later part is open, and when both were closed by silence.
    for (const linkedAt of [T + 10 * MINUTE, T + 25 * MINUTE, T + 2 * HOUR]) {
      const customers = new Customers(processor)
        .event('a:x', T)
        .event('u:1', T + 10 * MINUTE)
        .fold('a:x')
        .fold('u:1');
      customers.silence(linkedAt).link('a:x', 'u:1', linkedAt).foldAll();
      expect(closed(customers, until), String(linkedAt - T)).toBe(1);
      customers.unlink('a:x', 'u:1', until).foldAll();
      expect(closed(customers, until + HOUR), String(linkedAt - T)).toBe(2);
    }
    // Handed on by one who had taken another one in.
    const chain = new Customers(processor).event('a:x', T).event('e:y', T + 10 * MINUTE);
    chain
      .foldAll()
      .link('a:x', 'e:y', T + 11 * MINUTE)
      .foldAll();
    expect(closed(chain, until)).toBe(1);
    chain.link('e:y', 'u:1', until).foldAll();
    expect(closed(chain, until + HOUR)).toBe(1);
    chain.unlink('a:x', 'e:y', until + HOUR).foldAll();
    expect(closed(chain, until + 2 * HOUR)).toBe(2);
  });

  test('and so is a page view of which both know, for the brand as well', () => {
    const processor = createCustomer(definitions({}));
    const pages = (customers: Customers, at: number) => partials(customers.totals, at)['brand all'] ?? {};
    const customers = new Customers(processor)
      .event('a:x', T, { type: 'PAGE_VIEW', pageViewId: 'p' })
      .event('u:1', T + MINUTE, { type: 'PAGE_ENGAGEMENT', pageViewId: 'p', engagedMs: 50_000 })
      .foldAll();
    expect(pages(customers, T + MINUTE)).toMatchObject({ measuredViews: 1, unmeasuredViews: 1 });
    customers.link('a:x', 'u:1', T + MINUTE).foldAll();
    expect(pages(customers, T + MINUTE)).toMatchObject({ measuredViews: 1, longViews: 1, pageVisibleMs: 50_000 });
    expect(pages(customers, T + MINUTE)).not.toHaveProperty('unmeasuredViews');
    customers.unlink('a:x', 'u:1', T + 2 * MINUTE).foldAll();
    expect(pages(customers, T + 2 * MINUTE)).toMatchObject({ measuredViews: 1, longViews: 1, unmeasuredViews: 1 });
  });

  test('opens and clicks of machines are counted for the brand alone', () => {
    const driver = new CustomerDriver(definitions({}))
      .record(T, { type: 'MESSAGE_OPENED', machineGenerated: true })
      .record(T + 1, { type: 'MESSAGE_CLICKED', machineGenerated: true })
      .record(T + 2, { type: 'MESSAGE_OPENED' });
    expect(ofBrand(driver, T + 2)).toMatchObject({ opens: 1, machineOpens: 1, machineClicks: 1 });
    expect(driver.view(T + 2).traits.opens.lifetime).toBe(1);
  });

  test('and what they come to are the same in whatever order events come, as long as none is a day late', () => {
    const event = fc.record({
      minute: fc.integer({ min: 0, max: 23 * 60 }),
      type: fc.constantFrom<Interaction['type']>('PAGE_VIEW', 'PAGE_ENGAGEMENT', 'SEARCH', 'CART_ADD'),
      page: fc.constantFrom('p1', 'p2', null),
      engagedMs: fc.constantFrom(400, 9_600, 50_000),
    });
    const shuffled = fc
      .array(event, { minLength: 1, maxLength: 14 })
      .chain((events) => fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length })));
    const { processor } = new CustomerDriver(definitions({}));
    const viewOf = (
      events: readonly { minute: number; type: Interaction['type']; page: string | null; engagedMs: number }[],
    ) => {
      const driver = new CustomerDriver(processor);
      for (const { minute, type, page, engagedMs } of events) {
        const occurredAt = T + minute * MINUTE;
        driver.record(Math.max(occurredAt, driver.state.at), { occurredAt, type, pageViewId: page, engagedMs });
      }
      driver.silence(T + 2 * DAY);
      return { view: driver.view(T + 2 * DAY), gauges: driver.gauges };
    };
    fc.assert(
      fc.property(shuffled, ([events, others]) => {
        expect(viewOf(others)).toEqual(viewOf(events));
      }),
    );
  });
});

test('engaged_seconds adds up what pages were visible for; visits tell it by page view', () => {
  const driver = new CustomerDriver(definitions({ reader: { 'traits.engaged_seconds.24h': { $gte: 60 } } }))
    .record(T, { pageViewId: 'p1' })
    .record(T + MINUTE, { type: 'PAGE_ENGAGEMENT', pageViewId: 'p1', engagedMs: 40_000 })
    .record(T + 2 * MINUTE, { type: 'PAGE_ENGAGEMENT', pageViewId: 'p1', engagedMs: 20_000 })
    .record(T + 3 * MINUTE, { pageViewId: 'p2' });
  expect(driver.memberships.map(({ at, changes }) => [at, changes])).toEqual([[T + 2 * MINUTE, ['+reader']]]);
  expect(driver.view(T + 3 * MINUTE).traits.engaged_seconds['1h']).toBe(60);
  expect(driver.view(T + 3 * MINUTE).visits).toEqual({
    engagedSessions: 1,
    measuredViews: 1,
    visibleMs: 60_000,
    longViews: 1,
    unmeasuredViews: 1,
    averageViewMs: 60_000,
    longViewShare: 1,
  });
});

test('two customers who are one have the sessions of one', () => {
  const customer = (...minutes: number[]) => {
    const driver = new CustomerDriver(definitions({}));
    for (const minute of minutes) driver.record(T + minute * MINUTE);
    const parts = new OpenParts();
    parts.open(driver.state.parts);
    return { visits: parts.get(VISITS), counted: driver.view(driver.state.at).traits.sessions.lifetime };
  };
  const [one, other, both] = [customer(0, 60), customer(25, 40, 200), customer(0, 25, 40, 60, 200)];
  const postings = new Postings();
  VISITS.merge(one.visits, other.visits, postings);
  let counted = one.counted + other.counted;
  for (let index = 0; index < postings.count; index++) counted += postings.amount(index);
  expect(counted).toBe(both.counted);
  expect(one.visits).toEqual(both.visits);
  expect(one.visits.views).toEqual(both.visits.views);
});

test('a page that was opened by a guest and read on by the same person, now known, is one page view', () => {
  const customer = (...events: Partial<Interaction>[]) => {
    const driver = new CustomerDriver(definitions({}));
    for (const [minute, event] of events.entries()) driver.record(T + minute * MINUTE, event);
    const parts = new OpenParts();
    parts.open(driver.state.parts);
    return parts.get(VISITS);
  };
  const read = (engagedMs: number) => ({ type: 'PAGE_ENGAGEMENT', pageViewId: 'p', engagedMs }) as const;
  const [guest, known] = [customer({ pageViewId: 'p' }, read(30_000)), customer(read(20_000), { pageViewId: 'q' })];
  VISITS.merge(guest, known, new Postings());
  expect(guest).toMatchObject({ measuredViews: 1, longViews: 1, unmeasuredViews: 1, visibleMs: 50_000 });
  expect(guest.views.map(({ isViewed, visibleMs }) => [isViewed, visibleMs])).toEqual([
    [true, 45_001],
    [true, 0],
  ]);
});
