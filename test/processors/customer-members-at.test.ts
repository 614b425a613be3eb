import { describe, expect, test } from 'vitest';
import { createCustomer } from '../../processors/customer/processor.ts';
import { CustomerDriver, DAY, definitions, HOUR, MIDNIGHT, MINUTE } from './customer-fixture.ts';

const T = MIDNIGHT + 10 * HOUR + 7 * MINUTE;
const SEGMENTS = { fresh: { 'traits.orders.30d': { $gte: 1 } }, silent: { 'ages.interactions': { $gte: 3 } } };

const order = (id: string) => ({
  type: 'ORDER_PLACED' as const,
  order: { orderId: id, amountMinor: 5000, currency: 'JPY', guest: false, items: [] },
});

describe('the segments of a customer at an instant', () => {
  test('are those that the processor comes to, by silence and under other definitions, and nothing is changed', () => {
    const driver = new CustomerDriver(definitions(SEGMENTS)).record(T, order('a'));
    const before = driver.packed();
    const { processor, state } = driver;
    expect(processor.membersAt(state, T + HOUR)).toEqual(['fresh']);
    expect(processor.membersAt(state, T + 4 * DAY)).toEqual(['fresh', 'silent']);
    expect(processor.membersAt(state, T + 40 * DAY)).toEqual(['silent']);

    const next = createCustomer(
      definitions({ ...SEGMENTS, fresh: { 'traits.orders.90d': { $gte: 1 } } }, 'definitions-2'),
    );
    expect(next.membersAt(state, T + 40 * DAY)).toEqual(['fresh', 'silent']);
    expect([processor.isCurrent(state), next.isCurrent(state)]).toEqual([true, false]);
    expect(driver.packed()).toEqual(before);
  });

  test('are told of nobody who was never evaluated, nor of an identifier that is linked', () => {
    const unknown = new CustomerDriver(definitions(SEGMENTS)).record(T, { type: 'UNKNOWN' });
    expect(unknown.processor.membersAt(unknown.state, T + 40 * DAY)).toBeNull();
    const linked = new CustomerDriver(definitions(SEGMENTS), 'a:1').record(T, order('a'));
    linked.processor.onRecord(
      linked.state,
      {
        kind: 'LINK',
        interaction: null,
        identity: { subject: 'u:1', via: null, state: null, at: null },
      },
      T + HOUR,
    );
    expect(linked.processor.membersAt(linked.state, T + 40 * DAY)).toBeNull();
  });

  test('of whoever came too late to be evaluated at once are those of the evaluation that is due', () => {
    const late = new CustomerDriver(definitions(SEGMENTS)).record(T, { ...order('a'), occurredAt: T - 400 * DAY });
    expect(late.processor.membersAt(late.state, T + HOUR)).toEqual(['silent']);
  });
});
