import { describe, expect, test } from 'vitest';
import { published } from '../harness/published-values.ts';
import { ByteReader } from '../../processors/core/packing.ts';
import { CustomerDriver, DAY, definitions, HOUR, MIDNIGHT, MINUTE } from './customer-fixture.ts';

const T = MIDNIGHT + 10 * HOUR;

describe('the first event', () => {
  test('enters every segment that is true, negative rules included, with cause EVENT', () => {
    const driver = new CustomerDriver(
      definitions({
        quiet: { 'traits.orders.30d': { $lt: 1 } },
        browsing: { 'traits.page_views.1h': { $gte: 1 } },
        buying: { 'traits.orders.30d': { $gte: 1 } },
      }),
    ).record(T);
    expect(driver.memberships).toEqual([
      { at: T, cause: 'EVENT', changes: ['+browsing', '+quiet'], members: ['browsing', 'quiet'] },
    ]);
    expect(driver.outputs[0]).toMatchObject({ key: 'acme|u:1', timestamp: T });
    expect(driver.gauges).toEqual({ browsing: 1, quiet: 1, INSUFFICIENT_DATA: 1 });
  });

  test('tells which values decided', () => {
    const driver = new CustomerDriver(definitions({ browsing: { 'traits.page_views.1h': { $gte: 1 } } })).record(T);
    const { topic = '', value } = driver.outputs[0] ?? {};
    expect(published(topic, value ?? {})).toMatchObject({
      brandId: 'acme',
      customerId: 'u:1',
      definitionsVersion: 'definitions-1',
      changes: [{ segmentId: 'browsing', evidence: [{ path: 'traits.page_views.1h', value: 1 }] }],
    });
  });
});

describe('repeats', () => {
  test('an event id applied less than 24 hours ago is a duplicate, even out of another mouth', () => {
    const driver = new CustomerDriver(definitions({}))
      .record(T, { eventId: 'a' })
      .record(T + 1, { eventId: 'a', type: 'SEARCH' })
      .record(T + DAY - 1, { eventId: 'a' })
      .record(T + DAY, { eventId: 'a' });
    expect(driver.outcomes).toEqual(['apply', 'duplicate_event', 'duplicate_event', 'apply']);
    expect(driver.view(T + DAY).traits.interactions.lifetime).toBe(2);
  });

  test('only the newest 64 ids are remembered', () => {
    const driver = new CustomerDriver(definitions({}));
    for (let index = 0; index < 65; index++) driver.record(T + index, { eventId: `e${index}` });
    driver
      .record(T + 100, { eventId: 'e1' })
      .record(T + 101, { eventId: 'e0' })
      .record(T + 102, { eventId: 'e1' });
    expect(driver.outcomes.slice(65)).toEqual(['duplicate_event', 'apply', 'apply']);
  });

  test('a skipped event is not remembered, so it applies once it is right', () => {
    const order = { orderId: 'o', amountMinor: 1, currency: 'JPY', guest: false, items: [] };
    const driver = new CustomerDriver(definitions({}))
      .record(T, { type: 'ORDER_PLACED', order })
      .record(T + 1, { eventId: 'again', type: 'ORDER_PLACED', order })
      .record(T + 2, { eventId: 'again', type: 'PAGE_VIEW' });
    expect(driver.outcomes).toEqual(['apply', 'duplicate_order', 'apply']);
  });
});

describe('time', () => {
  test('a late event counts where it happened', () => {
    const driver = new CustomerDriver(definitions({})).record(T).record(T, { occurredAt: T - 2 * HOUR });
    expect(driver.view(T).traits.page_views).toMatchObject({ '1h': 1, '24h': 2, lifetime: 2 });
  });

  test('an event from a clock ahead counts as of the record', () => {
    const driver = new CustomerDriver(definitions({})).record(T, { occurredAt: T + 4 * MINUTE });
    expect(driver.view(T).traits.page_views['1h']).toBe(1);
    expect(driver.state.at).toBe(T);
  });

  test('the clock never runs backwards', () => {
    const driver = new CustomerDriver(definitions({ some: { 'traits.searches.24h': { $gte: 1 } } }))
      .record(T)
      .record(T - DAY / 2, { type: 'SEARCH' });
    expect(driver.memberships).toEqual([{ at: T, cause: 'EVENT', changes: ['+some'], members: ['some'] }]);
    expect(driver.processor.clock(driver.state)).toBe(T);
  });

  test('beyond the day ring only what lives for ever is counted, and evaluated at the same instant', () => {
    const driver = new CustomerDriver(definitions({ seen: { 'traits.page_views.lifetime': { $gte: 2 } } }))
      .record(T)
      .record(T + 1, { occurredAt: T - 366 * DAY })
      .record(T + HOUR);
    expect(driver.outcomes).toEqual(['apply', 'beyond_horizon', 'apply']);
    expect(driver.memberships).toEqual([{ at: T + 1, cause: 'EVENT', changes: ['+seen'], members: ['seen'] }]);
    expect(driver.view(T + HOUR).traits.page_views).toMatchObject({ '365d': 2, lifetime: 3 });
  });

  test('the oldest day of the ring still counts', () => {
    const driver = new CustomerDriver(definitions({})).record(T, { occurredAt: MIDNIGHT - 365 * DAY });
    expect(driver.outcomes).toEqual(['apply']);
    expect(driver.view(T).traits.page_views).toMatchObject({ '90d': 0, '365d': 1 });
  });
});

describe('what counts', () => {
  test('messages are not interactions, and machines neither open nor click', () => {
    const driver = new CustomerDriver(definitions({}))
      .record(T, { type: 'MESSAGE_DELIVERED' })
      .record(T, { type: 'MESSAGE_OPENED', machineGenerated: true })
      .record(T, { type: 'MESSAGE_OPENED' })
      .record(T, { type: 'MESSAGE_CLICKED' });
    const { traits, ratios } = driver.view(T);
    expect(traits.messages_delivered['1h']).toBe(1);
    expect(traits.opens['1h']).toBe(1);
    expect(traits.interactions['1h']).toBe(3);
    expect(ratios).toMatchObject({ ctr: { '1h': 1 }, open_rate: { '1h': 1 }, click_to_open: { '1h': 1 } });
  });

  test('points that are no whole number count as an action only', () => {
    const driver = new CustomerDriver(definitions({}))
      .record(T, { type: 'POINTS_EARNED', attributes: { points: '120' } })
      .record(T, { type: 'POINTS_EARNED', attributes: { points: '1.5' } })
      .record(T, { type: 'POINTS_REDEEMED', attributes: { points: '-20' } });
    const { traits } = driver.view(T);
    expect([traits.loyalty_actions['1h'], traits.points_earned['1h'], traits.points_redeemed['1h']]).toEqual([
      3, 120, -20,
    ]);
  });

  test('an event of an unknown type or kind is skipped', () => {
    const driver = new CustomerDriver(definitions({})).record(T, { type: 'UNKNOWN' });
    expect(driver.outcomes).toEqual(['unknown_type']);
    const unknown = { brandId: 'acme', subject: 'u:1', kind: 'UNKNOWN', interaction: null, identity: null } as const;
    expect(driver.processor.onRecord(driver.state, unknown, T)).toEqual({ kind: 'skip', reason: 'unknown_type' });
    expect(driver.gauges).toEqual({});
  });
});

describe('attributes', () => {
  const who = { tier: { 'attributes.plan': 'gold' } };

  test('come from IDENTIFIED alone, the latest by the time it happened', () => {
    const driver = new CustomerDriver(definitions(who))
      .record(T, { type: 'PAGE_VIEW', attributes: { plan: 'gold' } })
      .record(T + 2, { type: 'IDENTIFIED', attributes: { plan: 'gold', city: 'Kyoto' } })
      .record(T + 3, { type: 'IDENTIFIED', attributes: { plan: 'basic' }, occurredAt: T + 1 });
    expect(driver.memberships.map(({ at, changes }) => [at, changes])).toEqual([[T + 2, ['+tier']]]);
    expect(driver.view(T + 3).attributes).toEqual({ city: 'Kyoto', plan: 'gold' });
    driver.record(T + 4, { type: 'IDENTIFIED', attributes: { plan: 'basic' } });
    expect(driver.memberships.at(-1)).toMatchObject({ at: T + 4, changes: ['-tier'] });
  });

  test('may be called anything', () => {
    const attributes = Object.fromEntries([['__proto__', 'x']]);
    const driver = new CustomerDriver(definitions({})).record(T, { type: 'IDENTIFIED', attributes });
    expect(Object.entries(driver.view(T).attributes)).toEqual([['__proto__', 'x']]);
  });

  test('at most 32 are kept, the longest untold go', () => {
    const driver = new CustomerDriver(definitions({}));
    for (let index = 0; index < 40; index++) {
      driver.record(T + index, { type: 'IDENTIFIED', attributes: { [`a${index}`]: 'x' } });
    }
    const { attributes } = driver.view(T + 40);
    expect(Object.keys(attributes)).toHaveLength(32);
    expect(attributes).toHaveProperty('a39');
    expect(attributes).not.toHaveProperty('a7');
  });
});

describe('traits', () => {
  test('go out at once, then at most once a minute, the last change by itself', () => {
    const driver = new CustomerDriver(definitions({}));
    for (const seconds of [0, 10, 59, 61, 62]) driver.record(T + seconds * 1000);
    driver.silence(T + HOUR);
    expect(driver.traits.map(({ occurredAt }) => (occurredAt - T) / 1000)).toEqual([0, 60, 120]);
    expect(driver.traits.at(-1)?.traits.find(({ measure }) => measure === 'page_views')?.last1h).toBe(5);
  });

  test('that are held back leave at the end of all input', () => {
    const driver = new CustomerDriver(definitions({})).record(T).record(T + 1000);
    const outputs = driver.processor.atEnd?.(driver.state, T + 2000).outputs;
    expect(outputs).toMatchObject([{ topic: 'customer-traits.v1', timestamp: T + 2000 }]);
    expect(driver.processor.atEnd?.(driver.state, T + 2001).outputs).toEqual([]);
    // What is left is the end of the session.
    expect(driver.processor.nextDue(driver.state)).toBe(T + 1000 + 30 * MINUTE);
  });

  test('name only what the customer ever did', () => {
    const driver = new CustomerDriver(definitions({}), 'a:x').record(T);
    expect(driver.traits[0]).toMatchObject({ identified: false, churn: null, ratios: [], segments: [] });
    expect(driver.traits[0]?.traits.map(({ measure }) => measure)).toEqual(['interactions', 'page_views', 'sessions']);
  });
});

test('the summary is read from the front of the packed state', () => {
  const driver = new CustomerDriver(definitions({ some: { 'traits.page_views.1h': { $gte: 1 } } }))
    .record(T)
    .record(T + 1, { type: 'MESSAGE_SENT' });
  expect(driver.processor.state.summarize(new ByteReader(driver.packed()))).toEqual({
    at: new Date(T + 1),
    churn: null,
    segments: ['some'],
    stage: null,
    lifecycle: null,
    tier: null,
    lastSeenAt: new Date(T),
    revision: driver.processor.revisions?.current,
  });
});

test('other definitions evaluate a customer anew at the next touch, and say so', () => {
  const driver = new CustomerDriver(
    definitions({ gone: { 'traits.page_views.1h': { $gte: 1 } }, kept: { 'traits.page_views.24h': { $gte: 1 } } }),
  ).record(T);
  const other = new CustomerDriver(
    definitions({ kept: { 'traits.page_views.24h': { $gte: 1 } }, added: { identified: true } }, 'definitions-2'),
  );
  driver.processor = other.processor;
  driver.record(T + MINUTE, { type: 'SEARCH' });
  expect(driver.memberships.at(-1)).toEqual({
    at: T + MINUTE,
    cause: 'DEFINITION',
    changes: ['+added', '-gone'],
    members: ['added', 'kept'],
  });
  driver.silence(T + 2 * DAY);
  expect(driver.memberships.at(-1)).toMatchObject({ cause: 'TIME', changes: ['-kept'] });
  expect(driver.gauges).toMatchObject({ gone: 0, kept: 0, added: 1, INSUFFICIENT_DATA: 1 });
});
