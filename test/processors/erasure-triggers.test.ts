import { expect, test } from 'vitest';
import { createCustomer } from '../../processors/customer/processor.ts';
import type { TriggerChanged } from '../../schemas/types.ts';
import { TRIGGER_SETTINGS } from '../harness/definition-sets.ts';
import { DAY, definitionsWithTriggers, HOUR, MIDNIGHT, MINUTE } from './customer-fixture.ts';
import { Customers } from './identity-driver.ts';

const T = MIDNIGHT + 12 * HOUR;
const [USER, DEVICE] = ['u:1', 'a:device'] as const;
const settings = { ...TRIGGER_SETTINGS, onboarding_stalled: null, milestone: { orders: [1, 3] } };
const processor = createCustomer(definitionsWithTriggers(settings));

const CART = { type: 'CART_ADD' } as const;
const order = (orderId: string) => ({
  type: 'ORDER_PLACED' as const,
  order: { orderId, amountMinor: 500, currency: 'JPY', guest: false, items: [] },
});

const cancelled = (customers: Customers, subject: string) =>
  customers
    .of<TriggerChanged>('triggers.v1', subject)
    .filter((value) => value?.change === 'CANCELLED')
    .map((value) => [value?.occurredAt, value?.cause, value?.trigger, value?.causeAt ?? value?.value]);

test('an erasure cancels all that was told and stands, once, and tells nothing of what is pending', () => {
  const customers = new Customers(processor).event(USER, T, order('o-1')).foldAll();
  customers.silence(T + 20 * DAY);
  customers.event(USER, T + 20 * DAY, CART).foldAll();
  customers.silence(T + 20 * DAY + 2 * HOUR);
  const fired = customers
    .of<TriggerChanged>('triggers.v1', USER)
    .filter((value) => value?.change === 'FIRED')
    .map((value) => value?.trigger);
  expect(fired).toEqual(expect.arrayContaining(['cart_abandoned', 'post_purchase', 'milestone']));
  const erasedAt = T + 20 * DAY + 3 * HOUR;
  customers.event(USER, erasedAt - MINUTE, order('o-2')).foldAll();
  const before = cancelled(customers, USER);
  expect(before.map(([, , trigger]) => trigger)).toEqual(['cart_abandoned']);
  customers.erase(USER, erasedAt).foldAll();
  customers.erase(USER, erasedAt).foldAll();
  customers.silence(erasedAt + 400 * DAY);
  expect(cancelled(customers, USER).slice(before.length)).toEqual([
    [erasedAt, 'ERASURE', 'post_purchase', T],
    [erasedAt, 'ERASURE', 'milestone', 1],
  ]);
});

test('what was told of a linked identifier is cancelled under the one that has it now', () => {
  const customers = new Customers(processor).event(DEVICE, T, CART).foldAll();
  customers.silence(T + 2 * HOUR);
  customers.link(DEVICE, USER, T + 3 * HOUR).foldAll();
  customers.erase(DEVICE, T + 4 * HOUR).foldAll();
  expect(cancelled(customers, DEVICE)).toEqual([]);
  expect(cancelled(customers, USER)).toEqual([[T + 4 * HOUR, 'ERASURE', 'cart_abandoned', T]]);
});

test('who was told nothing, or whose brand has no triggers, gets no record', () => {
  const customers = new Customers(processor).event(USER, T).foldAll();
  customers.erase(USER, T + HOUR).foldAll();
  expect(cancelled(customers, USER)).toEqual([]);
});
