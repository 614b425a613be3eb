import { beforeEach, describe, expect, test } from 'vitest';
import { customerTotals } from '../../processors/customer/totals.ts';
import { createCustomer } from '../../processors/customer/processor.ts';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import type { BrandPartial, ExperimentEvent, SegmentMembershipsChanged } from '../../schemas/types.ts';
import { experiment, standingUnits, withExperiments } from '../harness/experiments.ts';
import { everyAmount } from '../harness/window-amounts.ts';
import { DAY, definitions, HOUR, MIDNIGHT, MINUTE } from './customer-fixture.ts';
import { Customers } from './identity-driver.ts';

const T = MIDNIGHT + 12 * HOUR;
const [USER, EMAIL, DEVICE, OTHER] = ['u:1', `e:${'ab'.repeat(32)}`, 'a:device', 'u:2'] as const;
const ALL = [USER, EMAIL, DEVICE];

const rules = definitions({
  viewers: { 'traits.page_views.lifetime': { $gte: 1 } },
  quiet: { 'ages.interactions': { $gte: 5 } },
  buyers: { 'traits.orders.lifetime': { $gte: 1 } },
});
const processor = createCustomer({ ...rules, experiments: withExperiments([experiment()]).experiments });
let customers: Customers;
beforeEach(() => {
  customers = new Customers(processor);
});

const order = (orderId: string) => ({
  type: 'ORDER_PLACED' as const,
  order: { orderId, amountMinor: 500, currency: 'JPY', guest: false, items: [] },
});
const exposed = { type: 'EXPERIMENT_EXPOSED' as const, experiment: { experimentId: 'button', variant: 'B' } };

/** Somebody of whom everything is known that is kept. */
function live(subject: string, into = customers): void {
  into.event(subject, T, exposed).event(subject, T + MINUTE, { eventId: `${subject}-view` });
  into.event(subject, T + 2 * MINUTE, order(`${subject}-order`));
  into.event(subject, T + 3 * MINUTE, { type: 'IDENTIFIED', attributes: { name: 'Mika' } }).foldAll();
}

const last = (topic: string, subject: string) => customers.of(topic, subject).at(-1);

function packed(subject: string): Buffer {
  const writer = new ByteWriter();
  processor.state.pack(customers.state(subject), writer);
  return writer.copy();
}

/** What the partition's documents say of the brand, sessions left out: they move with nobody. */
function brand({ totals }: Customers, now: number) {
  for (const document of totals.documents.byKey.values()) totals.documents.unsent.add(document);
  const outputs = customerTotals.ledger?.publish(totals, now, 0) ?? [];
  return outputs
    .map(({ value }) => value as BrandPartial)
    .map(({ dimension, value, ...amounts }) => [
      `${dimension} ${value}`,
      Object.fromEntries(
        Object.entries(everyAmount(amounts)).filter(([name]) => !/sessions|views|visible/i.test(name)),
      ),
    ])
    .filter(([, amounts]) => Object.keys(amounts ?? {}).length > 0);
}

function expectNothingOf(subject: string): void {
  const state = customers.state(subject);
  expect(processor.isErased(state)).toBe(true);
  expect(processor.nextDue(state)).toBe(Infinity);
  expect(packed(subject).length).toBeLessThan(subject.length + 40);
  expect(processor.state.summarize(new ByteReader(packed(subject)))).toEqual({
    at: expect.any(Date) as Date,
    erased: true,
    revision: 0,
  });
}

describe('a customer who is erased', () => {
  test('leaves segments, bands and compacted topics, and nothing in the document but when that was', () => {
    live(USER);
    customers.erase(USER, T + HOUR).foldAll();
    expectNothingOf(USER);
    expect(last('segment-memberships.v1', USER)).toMatchObject({
      cause: 'ERASURE',
      members: [],
      changes: [
        { segmentId: 'buyers', change: 'EXITED', evidence: [] },
        { segmentId: 'viewers', change: 'EXITED', evidence: [] },
      ],
    });
    expect([last('churn-risk.v1', USER), last('customer-traits.v1', USER)]).toEqual([null, null]);
    expect(processor.links(customers.state(USER))).toMatchObject({ redirect: null, erasedAt: T + HOUR });
    // Sessions are the brand's.
    expect(Object.entries(customers.gauges).filter(([label, count]) => label !== '' && count !== 0)).toEqual([]);
  });

  test('leaves the brand and its experiments as if only the others had ever been there', () => {
    live(USER);
    live(OTHER);
    customers.erase(USER, T + HOUR).foldAll();
    const alone = new Customers(processor);
    live(OTHER, alone);
    expect(brand(customers, T + DAY)).toEqual(brand(alone, T + DAY));
    expect(customers.gauges).toMatchObject(alone.gauges);
    const events = customers.published.filter(({ topic }) => topic === 'experiment-events.v1');
    const standing = standingUnits(events.map(({ value }) => value as ExperimentEvent));
    expect([...standing.keys()].filter((unit) => unit.includes(USER))).toEqual([]);
    expect([...standing.keys()].filter((unit) => unit.includes(OTHER))).toHaveLength(1);
  });

  test('is told of by nothing that happened before, late, again or in another order', () => {
    live(USER);
    customers.erase(USER, T + HOUR).foldAll();
    const before = customers.published.length;
    customers.event(USER, T + 2 * HOUR, { eventId: `${USER}-view`, occurredAt: T + MINUTE });
    customers.event(USER, T + 3 * HOUR, { occurredAt: T - 9 * DAY });
    customers.event(USER, T + 4 * HOUR, { occurredAt: T - 900 * DAY, ...order('old') });
    customers.event(USER, T + 4 * HOUR, { occurredAt: T + HOUR }).foldAll();
    expect(customers.outcomes.slice(-4)).toEqual(['erased', 'erased', 'erased', 'erased']);
    customers.silence(T + 400 * DAY);
    expect(customers.published).toHaveLength(before);
    expectNothingOf(USER);
  });

  test('who was never there is refused all the same', () => {
    customers.erase(USER, T + HOUR).foldAll();
    customers.event(USER, T + 2 * HOUR, { occurredAt: T }).foldAll();
    expect(customers.outcomes.at(-1)).toBe('erased');
    expectNothingOf(USER);
  });

  test('begins anew with what happens afterwards', () => {
    live(USER);
    customers.erase(USER, T + HOUR).foldAll();
    customers
      .event(USER, T + DAY)
      .event(USER, T + DAY + MINUTE, { occurredAt: T })
      .foldAll();
    expect(customers.outcomes.slice(-2)).toEqual(['apply', 'erased']);
    expect(processor.isErased(customers.state(USER))).toBe(false);
    expect(customers.view(USER, T + 2 * DAY)).toMatchObject({ segments: ['viewers'], attributes: {} });
    const { changes } = last('segment-memberships.v1', USER) as SegmentMembershipsChanged;
    expect(changes.map(({ segmentId, change }) => `${change} ${segmentId}`)).toEqual(['ENTERED viewers']);
  });

  test('is erased once by an order that comes twice, and again by a later one', () => {
    live(USER);
    customers.erase(USER, T + HOUR).foldAll();
    customers.event(USER, T + DAY).foldAll();
    const before = customers.published.length;
    customers.erase(USER, T + 2 * DAY, T + HOUR).foldAll();
    expect([customers.published.length, processor.isErased(customers.state(USER))]).toEqual([before, false]);
    customers.erase(USER, T + 2 * DAY).foldAll();
    expectNothingOf(USER);
    expect(processor.links(customers.state(USER)).erasedAt).toBe(T + 2 * DAY);
  });

  test('is erased up to the order when this is late, and up to its document when that is ahead', () => {
    live(USER);
    customers.event(USER, T + DAY).foldAll();
    customers.erase(USER, T + HOUR).foldAll();
    expectNothingOf(USER);
    expect(processor.links(customers.state(USER)).erasedAt).toBe(T + DAY);
  });

  test('is erased after a long silence', () => {
    live(USER);
    customers
      .silence(T + 500 * DAY)
      .erase(USER, T + 500 * DAY)
      .foldAll();
    expectNothingOf(USER);
    expect(brand(customers, T + 500 * DAY)).toEqual([]);
  });
});

describe('a customer with several identifiers', () => {
  beforeEach(() => {
    for (const subject of ALL) live(subject);
    customers
      .link(DEVICE, EMAIL, T + 10 * MINUTE)
      .link(EMAIL, USER, T + 11 * MINUTE)
      .foldAll();
    live(OTHER);
  });

  test.each(ALL)('is erased whole by an order about %s', (subject) => {
    customers.erase(subject, T + HOUR).foldAll();
    for (const each of ALL) expectNothingOf(each);
    for (const weaker of [EMAIL, DEVICE]) expect(last('identity-merges.v1', weaker)).toBeNull();
    expect(customers.view(OTHER, T + DAY).segments).toEqual(['buyers', 'viewers']);
  });

  test('is refused under each of them, as interaction, link, end of a link or state on its way', () => {
    customers.erase(DEVICE, T + HOUR).foldAll();
    const before = customers.published.length;
    for (const subject of ALL) customers.event(subject, T + DAY, { occurredAt: T });
    customers.step(DEVICE, 'LINK', { subject: USER, via: null, state: null, at: T }, T + DAY);
    customers.step(DEVICE, 'UNLINK', { subject: USER, via: null, state: null, at: T }, T + DAY);
    customers.foldAll();
    expect(customers.outcomes.slice(-5)).toEqual(Array.from({ length: 5 }, () => 'erased'));
    expect(customers.published).toHaveLength(before);
    for (const each of ALL) expectNothingOf(each);
  });

  test('is linked again by what happens afterwards', () => {
    customers.erase(USER, T + HOUR).foldAll();
    customers
      .event(DEVICE, T + DAY)
      .link(DEVICE, USER, T + DAY)
      .event(USER, T + DAY)
      .foldAll();
    expect(processor.links(customers.state(DEVICE))).toMatchObject({ redirect: USER, erasedAt: T + HOUR });
    expect(customers.view(USER, T + 2 * DAY).traits.page_views.lifetime).toBe(2);
    customers.event(DEVICE, T + 2 * DAY, { occurredAt: T }).foldAll();
    expect(customers.outcomes.at(-1)).toBe('erased');
    customers.erase(DEVICE, T + 3 * DAY).foldAll();
    for (const each of [USER, DEVICE]) expectNothingOf(each);
  });
});

describe('an erasure on its way', () => {
  beforeEach(() => {
    live(USER);
    live(DEVICE);
  });

  test('meets a state that comes after it: this goes, too, with whom it came from', () => {
    customers.link(DEVICE, USER, T + HOUR).fold(DEVICE);
    customers.step(USER, 'ERASE', { subject: USER, via: null, state: null, at: T + 2 * HOUR }, T + 2 * HOUR);
    // The transfer is in front of the order: erase first all the same, as if it had been later.
    const early = new Customers(processor);
    live(USER, early);
    live(DEVICE, early);
    early.erase(USER, T + 2 * HOUR).foldAll();
    early.step(DEVICE, 'LINK', { subject: USER, via: null, state: null, at: T + HOUR }, T + 3 * HOUR).foldAll();
    customers.foldAll();
    for (const world of [customers, early]) {
      customers = world;
      for (const each of [USER, DEVICE]) expectNothingOf(each);
    }
  });

  test('leaves alone whom an operator has parted from it', () => {
    customers.link(DEVICE, USER, T + HOUR).foldAll();
    customers.unlink(DEVICE, USER, T + 2 * HOUR).foldAll();
    customers.erase(USER, T + 3 * HOUR).foldAll();
    expectNothingOf(USER);
    expect(customers.view(DEVICE, T + DAY).traits.orders.lifetime).toBe(1);
  });

  test('takes what it still holds of somebody whose parting is on its way, and nothing of what is theirs by then', () => {
    customers.link(DEVICE, USER, T + HOUR).foldAll();
    // The order overtakes the state that is asked back.
    customers.erase(USER, T + 3 * HOUR);
    customers.unlink(DEVICE, USER, T + 2 * HOUR).fold(DEVICE);
    customers.event(DEVICE, T + 2 * HOUR + MINUTE, order('theirs')).foldAll();
    expectNothingOf(USER);
    expect(customers.links(DEVICE)).toMatchObject({ redirect: null, unlinked: [USER], erasedAt: null });
    expect(customers.view(DEVICE, T + DAY).traits.orders.lifetime).toBe(1);
    customers.event(DEVICE, T + 4 * HOUR, order('later')).foldAll();
    expect(customers.view(DEVICE, T + DAY).traits.orders.lifetime).toBe(2);
  });

  test('of one who was parted does not let the state come back that the other one still returns', () => {
    customers.link(DEVICE, USER, T + HOUR).foldAll();
    customers.unlink(DEVICE, USER, T + 2 * HOUR).fold(DEVICE);
    customers
      .erase(DEVICE, T + 3 * HOUR)
      .fold(DEVICE)
      .foldAll();
    expectNothingOf(DEVICE);
    expect(customers.outcomes.at(-1)).toBe('erased');
    expect(customers.view(USER, T + DAY).traits.orders.lifetime).toBe(1);
  });
});
