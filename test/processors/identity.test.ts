import { beforeEach, describe, expect, test } from 'vitest';
import { UNLINKED_MAX } from '../../processors/customer/identity.ts';
import { createCustomer } from '../../processors/customer/processor.ts';
import type { ChurnRiskChanged, IdentityMerged, SegmentMembershipsChanged } from '../../schemas/types.ts';
import { DAY, definitions, HOUR, MIDNIGHT, MINUTE } from './customer-fixture.ts';
import { Customers } from './identity-driver.ts';

const T = MIDNIGHT + 12 * HOUR;
const [USER, EMAIL, DEVICE] = ['u:1', `e:${'ab'.repeat(32)}`, 'a:device'] as const;

const processor = createCustomer(
  definitions({
    viewers: { 'traits.page_views.lifetime': { $gte: 1 } },
    'many-views': { 'traits.page_views.7d': { $gte: 3 } },
    quiet: { 'ages.interactions': { $gte: 5 } },
    buyers: { 'traits.orders.lifetime': { $gte: 1 } },
    known: { identified: true },
  }),
);
let customers: Customers;
beforeEach(() => {
  customers = new Customers(processor);
});

const order = (orderId: string, amountMinor = 500) => ({
  type: 'ORDER_PLACED' as const,
  order: { orderId, amountMinor, currency: 'JPY', guest: false, items: [] },
});
const cancelled = (orderId: string) => ({ ...order(orderId), type: 'ORDER_CANCELLED' as const });

const changesOf = (subject: string) =>
  customers.of<SegmentMembershipsChanged>('segment-memberships.v1', subject).map((value) => {
    const { cause, changes } = value ?? { cause: '', changes: [] };
    return [cause, ...changes.map(({ change, segmentId }) => (change === 'ENTERED' ? '+' : '-') + segmentId)];
  });
const views = (subject: string, at = T + DAY) => customers.view(subject, at).traits.page_views.lifetime;

describe('a guest who identifies himself', () => {
  beforeEach(() => {
    customers.event(DEVICE, T).event(DEVICE, T + MINUTE, order('o-1'));
    customers.event(USER, T + 2 * MINUTE).event(USER, T + 3 * MINUTE);
    customers.foldAll();
  });

  test('becomes one customer: all windows, orders and ages are those of both', () => {
    customers.link(DEVICE, USER, T + HOUR).foldAll();
    const { traits, ages, churn, segments } = customers.view(USER, T + DAY);
    expect([traits.page_views.lifetime, traits.page_views['7d'], traits.orders.lifetime]).toEqual([3, 3, 1]);
    expect([traits.revenue['30d'], ages.orders, churn?.band]).toEqual([500, 0, expect.any(String)]);
    expect(segments).toEqual(['buyers', 'known', 'many-views', 'viewers']);
  });

  test('leaves segments, band and compacted topics under the weaker identifier, and is looked at anew under the stronger', () => {
    const before = customers.gauges;
    expect(before).toMatchObject({ viewers: 2, buyers: 1, known: 1 });
    customers.link(DEVICE, USER, T + HOUR).foldAll();
    expect(changesOf(DEVICE).at(-1)).toEqual(['MERGE', '-buyers', '-viewers']);
    expect(customers.of('customer-traits.v1', DEVICE).at(-1)).toBeNull();
    expect(customers.of('churn-risk.v1', DEVICE).at(-1)).toBeNull();
    expect(changesOf(USER).at(-1)).toEqual(['MERGE', '+buyers', '+many-views']);
    expect(customers.of<ChurnRiskChanged>('churn-risk.v1', USER).at(-1)?.cause).toBe('MERGE');
    const customersNow = Object.entries(customers.gauges).filter(([label]) => /^[A-Z]/.test(label));
    expect(customersNow.reduce((sum, [, count]) => sum + count, 0)).toBe(1);
    expect(customers.gauges).toMatchObject({ viewers: 1, buyers: 1, known: 1, 'many-views': 1 });
  });

  test('is told once, at the clock of the weaker one', () => {
    customers
      .link(DEVICE, USER, T + HOUR)
      .link(DEVICE, USER, T + 2 * HOUR)
      .foldAll();
    expect(customers.of<IdentityMerged>('identity-merges.v1', DEVICE)).toEqual([
      { brandId: 'acme', weaker: DEVICE, stronger: USER, split: false, cause: 'EVENT', at: T + HOUR },
    ]);
    expect(customers.outcomes.slice(-3)).not.toContain('identity_conflict');
    expect(views(USER)).toBe(3);
  });

  test('is one customer for what comes later, late or twice under the weaker identifier', () => {
    customers.link(DEVICE, USER, T + HOUR).foldAll();
    customers.event(DEVICE, T + 2 * HOUR, { eventId: 'later' }).event(DEVICE, T + 3 * HOUR, { eventId: 'later' });
    customers.event(DEVICE, T - 5 * DAY, { eventId: 'late' }).foldAll();
    expect(customers.outcomes.filter((each) => each === 'duplicate_event')).toHaveLength(1);
    const { traits } = customers.view(USER, T + DAY);
    expect([traits.page_views.lifetime, traits.page_views['24h']]).toEqual([5, 4]);
    // Nothing but the ids of five events.
    expect(customers.state(DEVICE).body.length).toBeLessThan(80);
    expect(processor.nextDue(customers.state(DEVICE))).toBe(Infinity);
  });

  test('is not counted twice for an event that comes again under the other identifier', () => {
    customers.event(DEVICE, T + MINUTE, { eventId: 'same' }).foldAll();
    customers.link(DEVICE, USER, T + HOUR).foldAll();
    customers.event(USER, T + 2 * HOUR, { eventId: 'same' }).foldAll();
    expect(customers.outcomes.at(-1)).toBe('duplicate_event');
    expect(views(USER)).toBe(4);
  });

  test('keeps what is on its way when the link comes between', () => {
    // Sent before anybody knew of the link, folded after it.
    customers.link(DEVICE, USER, T + HOUR).fold(DEVICE);
    customers
      .event(DEVICE, T + 2 * HOUR)
      .fold(DEVICE)
      .fold(USER);
    expect(views(USER)).toBe(3);
    customers.foldAll();
    expect(views(USER)).toBe(4);
  });

  test('is late when the weaker one’s partition stood still: what silence told stays told, and all but sessions comes right', () => {
    customers.event(DEVICE, T + 6 * DAY).link(DEVICE, USER, T + 6 * DAY + HOUR);
    customers.silence(T + 9 * DAY, USER);
    // Not true of the person, who was there on the sixth day: nobody knew.
    expect(changesOf(USER).at(-1)).toEqual(['TIME', '+quiet']);
    customers.foldAll();
    const published = customers.of<SegmentMembershipsChanged>('segment-memberships.v1', USER);
    expect(changesOf(USER).at(-1)).toEqual(['MERGE', '+buyers', '+many-views', '-quiet']);
    expect(published.at(-1)?.occurredAt).toBe(T + 6 * DAY + HOUR);

    const inTime = new Customers(processor);
    inTime.event(USER, T).event(USER, T + MINUTE, order('o-1'));
    inTime.event(USER, T + 2 * MINUTE).event(USER, T + 3 * MINUTE);
    inTime.event(USER, T + 6 * DAY).foldAll();
    const end = (each: Customers) => {
      // Of sessions only those of a day come together.
      const { traits, ages, churn, segments } = each.silence(T + 12 * DAY).view(USER, T + 12 * DAY);
      return { traits: { ...traits, sessions: null }, ages: { ...ages, sessions: null }, churn, segments };
    };
    expect(end(customers)).toEqual(end(inTime));
  });

  test('falls silent as one', () => {
    customers.link(DEVICE, USER, T + HOUR).foldAll();
    customers.silence(T + 9 * DAY);
    expect(changesOf(USER).slice(-2)).toEqual([
      ['TIME', '+quiet'],
      ['TIME', '-many-views'],
    ]);
    expect(changesOf(DEVICE).at(-1)?.[0]).toBe('MERGE');
  });
});

describe('a link', () => {
  test('to somebody who did nothing so far makes that one a customer', () => {
    customers
      .event(DEVICE, T)
      .link(DEVICE, USER, T + HOUR)
      .foldAll();
    expect(changesOf(USER)).toEqual([['MERGE', '+known', '+viewers']]);
    expect(views(USER)).toBe(1);
  });

  test('of an identifier under which nothing came hands nothing over', () => {
    customers
      .event(USER, T)
      .link(DEVICE, USER, T + HOUR)
      .foldAll();
    expect(customers.outcomes).toEqual(['apply', 'apply']);
    expect(customers.links(USER).held).toEqual([]);
    expect(customers.of('customer-traits.v1', DEVICE)).toEqual([]);
    customers.event(DEVICE, T + 2 * HOUR).foldAll();
    expect(views(USER)).toBe(2);
    expect(customers.links(USER).held).toEqual([{ subject: DEVICE, via: null }]);
  });

  test('to a second subject is a conflict, and changes nothing', () => {
    customers
      .event(DEVICE, T)
      .link(DEVICE, USER, T)
      .link(DEVICE, 'u:2', T + HOUR)
      .foldAll();
    expect(customers.outcomes).toContain('identity_conflict');
    expect(customers.links(DEVICE).redirect).toBe(USER);
    expect([views(USER), views('u:2')]).toEqual([1, 0]);
  });

  test.each([
    ['a weaker one', EMAIL, DEVICE],
    ['an equal one', USER, 'u:2'],
    ['itself', DEVICE, DEVICE],
  ])('to %s is refused: no ring can come of it', (_, weaker, stronger) => {
    customers.event(weaker, T).link(weaker, stronger, T).foldAll();
    expect(customers.outcomes).toEqual(['apply', 'invalid_identifier']);
    expect(views(weaker)).toBe(1);
  });

  test.each(['LINK', 'UNLINK', 'TRANSFER', 'SPLIT', 'FORWARD'] as const)('%s without its step is refused', (kind) => {
    customers.step(USER, kind, null, T).foldAll();
    expect(customers.outcomes).toEqual(['no_identifier']);
  });

  test('that is far behind or far ahead in time is the same link', () => {
    customers
      .event(DEVICE, T)
      .event(USER, T + 9 * DAY)
      .link(DEVICE, USER, T - DAY)
      .foldAll();
    expect(views(USER, T + 9 * DAY)).toBe(2);
    expect(customers.state(USER).at).toBe(T + 9 * DAY);
  });
});

describe('a chain of three identifiers', () => {
  test.each([
    ['the weaker link first', true],
    ['the stronger link first', false],
  ])('ends in the strongest, %s, each part for itself', (_, isWeakerFirst) => {
    customers.event(DEVICE, T).event(EMAIL, T).event(USER, T).foldAll();
    const links = [() => customers.link(DEVICE, EMAIL, T + HOUR), () => customers.link(EMAIL, USER, T + HOUR)];
    for (const link of isWeakerFirst ? links : links.reverse()) link().foldAll();
    expect(views(USER)).toBe(3);
    customers.event(DEVICE, T + 2 * HOUR).foldAll();
    expect(views(USER)).toBe(4);
    const held = customers.links(USER).held.toSorted((a, b) => (a.subject < b.subject ? -1 : 1));
    expect(held).toEqual([
      { subject: DEVICE, via: EMAIL },
      { subject: EMAIL, via: null },
    ]);
    expect(customers.links(EMAIL)).toEqual({ redirect: USER, held: [], unlinked: [], erasedAt: null });
  });

  test('is taken apart link by link', () => {
    customers.event(DEVICE, T).event(EMAIL, T).event(USER, T).link(DEVICE, EMAIL, T).link(EMAIL, USER, T).foldAll();
    customers.unlink(EMAIL, USER, T + HOUR).foldAll();
    expect([views(USER), views(EMAIL)]).toEqual([1, 2]);
    customers.event(DEVICE, T + HOUR).foldAll();
    expect([views(USER), views(EMAIL)]).toEqual([1, 3]);
    customers.unlink(DEVICE, EMAIL, T + 2 * HOUR).foldAll();
    expect([views(USER), views(EMAIL), views(DEVICE)]).toEqual([1, 1, 2]);
  });

  test('lets the weakest go while the middle one stays', () => {
    customers.event(DEVICE, T).event(EMAIL, T).event(USER, T).link(DEVICE, EMAIL, T).link(EMAIL, USER, T).foldAll();
    customers.unlink(DEVICE, EMAIL, T + HOUR).foldAll();
    expect([views(USER), views(DEVICE)]).toEqual([2, 1]);
    expect(customers.links(EMAIL).redirect).toBe(USER);
  });
});

describe('unlinking', () => {
  beforeEach(() => {
    customers.event(DEVICE, T).event(DEVICE, T, order('o-1')).event(USER, T).link(DEVICE, USER, T).foldAll();
    customers
      .event(DEVICE, T + HOUR)
      .event(USER, T + HOUR, order('o-2'))
      .foldAll();
  });

  test('gives each what came under it, before the link and after', () => {
    customers.unlink(DEVICE, USER, T + DAY).foldAll();
    const [device, user] = [customers.view(DEVICE, T + DAY), customers.view(USER, T + DAY)];
    expect([device.traits.page_views.lifetime, device.traits.orders.lifetime]).toEqual([2, 1]);
    expect([user.traits.page_views.lifetime, user.traits.orders.lifetime]).toEqual([1, 1]);
    expect(changesOf(DEVICE).at(-1)).toEqual(['MERGE', '+buyers', '+viewers']);
    expect(customers.links(USER)).toEqual({ redirect: null, held: [], unlinked: [], erasedAt: null });
    expect(customers.gauges).toMatchObject({ viewers: 2, buyers: 2, known: 1 });
    expect(customers.of<IdentityMerged>('identity-merges.v1', DEVICE).at(-1)).toEqual({
      ...{ brandId: 'acme', weaker: DEVICE, stronger: USER, split: true, cause: 'COMMAND', at: T + DAY },
    });
  });

  test('holds: the two are not linked again, by whatever is still on its way', () => {
    customers
      .unlink(DEVICE, USER, T + DAY)
      .link(DEVICE, USER, T + DAY)
      .foldAll();
    expect(customers.outcomes).toContain('identity_conflict');
    expect(customers.links(DEVICE)).toEqual({ redirect: null, held: [], unlinked: [USER], erasedAt: null });
    customers.link(DEVICE, 'u:2', T + 2 * DAY).foldAll();
    expect([views('u:2', T + 3 * DAY), views(USER, T + 3 * DAY)]).toEqual([2, 1]);
  });

  test('twice, or before any link, does no more', () => {
    customers
      .unlink(DEVICE, USER, T + DAY)
      .unlink(DEVICE, USER, T + DAY)
      .unlink('a:other', USER, T)
      .foldAll();
    expect(customers.of('identity-merges.v1', DEVICE)).toHaveLength(2);
    expect(views(USER)).toBe(1);
    customers
      .event('a:other', T)
      .link('a:other', USER, T + DAY)
      .foldAll();
    expect(views(USER)).toBe(1);
  });

  test('loses nothing that happens while the part is on its way back', () => {
    customers.unlink(DEVICE, USER, T + DAY).fold(DEVICE);
    customers.event(DEVICE, T + DAY).fold(DEVICE);
    expect(views(DEVICE)).toBe(1);
    // Linked to somebody else before it is back.
    customers.link(DEVICE, 'u:2', T + DAY).foldAll();
    expect([views('u:2', T + DAY), views(USER, T + DAY)]).toEqual([3, 1]);
  });

  test('loses nothing that is on a longer way when the identifier is linked anew by a shorter one', () => {
    customers.event(EMAIL, T).link(EMAIL, 'u:2', T).event('a:phone', T).link('a:phone', EMAIL, T).foldAll();
    customers.event('a:phone', T + HOUR, { eventId: 'same' }).fold('a:phone');
    customers.unlink('a:phone', EMAIL, T + 2 * HOUR).fold('a:phone');
    customers.event('a:phone', T + 2 * HOUR, { eventId: 'same' }).fold('a:phone');
    expect(customers.outcomes.at(-1)).toBe('duplicate_event');
    customers.event('a:phone', T + 3 * HOUR).link('a:phone', 'u:2', T + 3 * HOUR);
    // What came before the link arrives by itself, before what is still to be forwarded under the e-mail.
    customers.fold('a:phone').fold('a:phone').fold('u:2');
    customers
      .foldAll()
      .event('a:phone', T + 4 * HOUR, { eventId: 'same' })
      .foldAll();
    expect(customers.outcomes.filter((each) => each === 'duplicate_event')).toHaveLength(2);
    expect(views('u:2')).toBe(4);
    customers.unlink('a:phone', 'u:2', T + 5 * HOUR).foldAll();
    expect([views('u:2'), views('a:phone')]).toEqual([1, 3]);
  });

  test('remembers so many subjects', () => {
    for (let user = 2; user < 20; user++) customers.unlink(DEVICE, `u:${user}`, T);
    customers.foldAll();
    expect(customers.links(DEVICE).unlinked).toHaveLength(UNLINKED_MAX);
  });
});

describe('what two identifiers both know of', () => {
  test('an order told under both counts once, cancelled if either was', () => {
    customers
      .event(DEVICE, T, order('o-1'))
      .event(USER, T + MINUTE, order('o-1'))
      .foldAll();
    customers.link(DEVICE, USER, T + HOUR).foldAll();
    const { traits } = customers.view(USER, T + DAY);
    expect([traits.orders.lifetime, traits.revenue.lifetime, traits.interactions.lifetime]).toEqual([1, 500, 1]);
    customers.event(DEVICE, T + HOUR, cancelled('o-1')).foldAll();
    const after = customers.view(USER, T + DAY).traits;
    expect([after.orders.lifetime, after.revenue['30d']]).toEqual([0, 0]);
  });

  test('a cancellation and a refund find the order of the other', () => {
    customers.event(DEVICE, T, order('o-1')).event(DEVICE, T, order('o-2', 900));
    customers.event(USER, T, cancelled('o-1'));
    customers.event(USER, T, { ...order('o-2', 200), type: 'ORDER_REFUNDED' }).foldAll();
    customers.link(DEVICE, USER, T + HOUR).foldAll();
    const { traits } = customers.view(USER, T + DAY);
    expect([traits.orders.lifetime, traits.revenue.lifetime, traits.refunds.lifetime]).toEqual([1, 700, 1]);
    customers.event(USER, T + HOUR, cancelled('o-2')).foldAll();
    expect(customers.view(USER, T + DAY).traits.revenue.lifetime).toBe(0);
  });

  test('of an attribute the later one counts', () => {
    const told = (plan: string) => ({ type: 'IDENTIFIED' as const, attributes: { plan } });
    customers
      .event(DEVICE, T + HOUR, told('gold'))
      .event(USER, T, told('plain'))
      .foldAll();
    customers.link(DEVICE, USER, T + HOUR).foldAll();
    expect(customers.view(USER, T + DAY).attributes).toEqual({ plan: 'gold' });
  });
});

describe('a chain that is parted at both ends', () => {
  test('gives back to the weakest what was on its way back through the middle', () => {
    customers
      .event(DEVICE, T)
      .event(EMAIL, T)
      .event(EMAIL, T + MINUTE)
      .event(USER, T);
    customers
      .link(DEVICE, EMAIL, T + HOUR)
      .foldAll()
      .link(EMAIL, USER, T + 2 * HOUR)
      .foldAll();
    // The hash of the address is told first that the device is none of its, and then gets back what it had of the device.
    customers
      .unlink(EMAIL, USER, T + 3 * HOUR)
      .fold(EMAIL)
      .unlink(DEVICE, EMAIL, T + 4 * HOUR)
      .fold(DEVICE)
      .fold(EMAIL);
    customers.foldAll();
    expect([views(DEVICE), views(EMAIL), views(USER)]).toEqual([1, 2, 1]);
    expect([EMAIL, USER].flatMap((subject) => customers.links(subject).held)).toEqual([]);
  });

  test('gives back to the middle what still belongs there', () => {
    customers.event(DEVICE, T).event(EMAIL, T).event(USER, T);
    customers
      .link(DEVICE, EMAIL, T + HOUR)
      .foldAll()
      .link(EMAIL, USER, T + 2 * HOUR)
      .foldAll();
    customers
      .unlink(EMAIL, USER, T + 3 * HOUR)
      .event(DEVICE, T + 4 * HOUR)
      .foldAll();
    expect([views(DEVICE), views(EMAIL), views(USER)]).toEqual([0, 3, 1]);
    expect(customers.links(EMAIL).held.map((each) => each.subject)).toEqual([DEVICE]);
  });
});
