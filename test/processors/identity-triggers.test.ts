import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCustomer } from '../../processors/customer/processor.ts';
import type { TriggerChanged } from '../../schemas/types.ts';
import { TRIGGER_SETTINGS } from '../harness/definition-sets.ts';
import { DAY, definitionsWithJourney, definitionsWithTriggers, HOUR, MIDNIGHT, MINUTE } from './customer-fixture.ts';
import { Customers } from './identity-driver.ts';

const T = MIDNIGHT + 12 * HOUR;
const [USER, DEVICE] = ['u:1', 'a:device'] as const;
const processor = createCustomer(
  definitionsWithTriggers({ ...TRIGGER_SETTINGS, onboarding_stalled: null, milestone: { orders: [1, 3] } }),
);

const CART = { type: 'CART_ADD' } as const;
const order = (orderId: string) => ({
  type: 'ORDER_PLACED' as const,
  order: { orderId, amountMinor: 500, currency: 'JPY', guest: false, items: [] },
});

const told = (customers: Customers, subject: string, only = '') =>
  customers
    .of<TriggerChanged>('triggers.v1', subject)
    .flatMap((value) => (value === null ? [] : [value]))
    .map(({ occurredAt, cause, trigger, change, causeAt, value }) => [
      occurredAt,
      cause,
      `${trigger} ${change}`,
      causeAt ?? value,
    ])
    .filter(([, , what]) => String(what).startsWith(only));

describe('triggers of a customer who is linked', () => {
  test('that are pending go on under the stronger identifier, at their time', () => {
    const customers = new Customers(processor)
      .event(USER, T - DAY)
      .event(DEVICE, T, CART)
      .foldAll();
    customers.link(DEVICE, USER, T + 30 * MINUTE).foldAll();
    customers.silence(T + DAY);
    expect(told(customers, DEVICE)).toEqual([]);
    expect(told(customers, USER)).toEqual([[T + HOUR, 'TIME', 'cart_abandoned FIRED', T]]);
  });

  test('that were told are not told again, and what makes them moot cancels them there', () => {
    const customers = new Customers(processor)
      .event(USER, T - DAY)
      .event(DEVICE, T, CART)
      .foldAll();
    customers.silence(T + 2 * HOUR);
    customers.link(DEVICE, USER, T + 3 * HOUR).foldAll();
    customers.silence(T + 4 * HOUR);
    expect(told(customers, DEVICE)).toEqual([[T + HOUR, 'TIME', 'cart_abandoned FIRED', T]]);
    expect(told(customers, USER)).toEqual([]);
    customers.event(USER, T + 5 * HOUR, order('o-1')).foldAll();
    expect(told(customers, USER, 'cart')).toEqual([[T + 5 * HOUR, 'EVENT', 'cart_abandoned CANCELLED', T]]);
  });

  test('are moot by what is known of the other', () => {
    const customers = new Customers(processor)
      .event(DEVICE, T, CART)
      .event(USER, T + MINUTE, order('o-1'))
      .foldAll();
    customers.link(DEVICE, USER, T + 2 * MINUTE).foldAll();
    customers.silence(T + DAY);
    expect([...told(customers, USER, 'cart'), ...told(customers, DEVICE)]).toEqual([]);
    // The other way round: the order of the guest is the answer to what was told of the user.
    const turned = new Customers(processor).event(USER, T, CART).foldAll();
    turned.silence(T + 2 * HOUR);
    turned.event(DEVICE, T + 3 * HOUR, order('o-1')).foldAll();
    turned.link(DEVICE, USER, T + 4 * HOUR).foldAll();
    expect(told(turned, USER, 'cart').at(-1)).toEqual([T + 4 * HOUR, 'MERGE', 'cart_abandoned CANCELLED', T]);
  });

  test('come to rest, whoever holds them, once the brand follows none any more', () => {
    const customers = new Customers(processor)
      .event(USER, T - DAY)
      .event(DEVICE, T, CART)
      .foldAll();
    customers.link(DEVICE, USER, T + MINUTE).foldAll();
    // Another release, without the brand's file: the cart is due in what is held of each.
    Object.assign(customers, { processor: createCustomer(definitionsWithJourney()) });
    customers.event(DEVICE, T + 2 * HOUR).foldAll();
    customers.event(USER, T + 3 * HOUR).foldAll();
    customers.silence(T + DAY);
    expect([...told(customers, USER), ...told(customers, DEVICE)]).toEqual([]);
    customers.unlink(DEVICE, USER, T + DAY).foldAll();
    expect(customers.view(DEVICE, T + DAY).traits['page_views']?.lifetime).toBe(1);
  });

  test('count milestones of both, and give them back when they are parted', () => {
    const customers = new Customers(processor).event(USER, T, order('o-1')).event(DEVICE, T, order('o-2'));
    customers.event(DEVICE, T + 1, order('o-3')).foldAll();
    customers.link(DEVICE, USER, T + HOUR).foldAll();
    expect(told(customers, DEVICE, 'milestone')).toEqual([[T, 'EVENT', 'milestone FIRED', 1]]);
    expect(told(customers, USER, 'milestone').slice(1)).toEqual([[T + HOUR, 'MERGE', 'milestone FIRED', 3]]);
    customers.unlink(DEVICE, USER, T + 2 * HOUR).foldAll();
    expect(told(customers, USER, 'milestone').slice(2)).toEqual([[T + 2 * HOUR, 'MERGE', 'milestone CANCELLED', 3]]);
    expect(told(customers, DEVICE, 'milestone')).toHaveLength(1);
  });

  test('tell no milestone that was reached before it was asked for, whoever is linked or parted first under new definitions', () => {
    const orders = (subject: string, count: number, customers: Customers) => {
      for (let each = 0; each < count; each++) customers.event(subject, T + each, order(`${subject}-${each}`));
      return customers.foldAll();
    };
    const redefine = (customers: Customers) =>
      Object.assign(customers, {
        processor: createCustomer(definitionsWithTriggers({ milestone: { orders: [1, 3, 4, 5] } }, 'definitions-2')),
      });
    const before = () => new Customers(createCustomer(definitionsWithTriggers({ milestone: { orders: [9] } })));

    const linked = orders(USER, 1, orders(DEVICE, 3, before()));
    redefine(linked)
      .link(DEVICE, USER, T + HOUR)
      .foldAll();
    expect(told(linked, DEVICE)).toEqual([]);
    expect(told(linked, USER)).toEqual([[T + HOUR, 'MERGE', 'milestone FIRED', 4]]);

    const parted = orders(USER, 1, orders(DEVICE, 4, before()));
    parted.link(DEVICE, USER, T + HOUR).foldAll();
    redefine(parted)
      .unlink(DEVICE, USER, T + 2 * HOUR)
      .foldAll();
    expect(told(parted, USER)).toEqual([
      [T + 2 * HOUR, 'MERGE', 'milestone CANCELLED', 5],
      [T + 2 * HOUR, 'MERGE', 'milestone CANCELLED', 4],
      [T + 2 * HOUR, 'MERGE', 'milestone CANCELLED', 3],
    ]);
    expect(told(parted, DEVICE)).toEqual([]);
  });

  test('that were told while linked are not told again by whoever is parted', () => {
    const customers = new Customers(processor)
      .event(USER, T - DAY)
      .event(DEVICE, T, CART)
      .foldAll();
    customers.link(DEVICE, USER, T + MINUTE).foldAll();
    customers.silence(T + 2 * HOUR);
    customers.unlink(DEVICE, USER, T + 3 * HOUR).foldAll();
    customers.silence(T + 30 * DAY);
    expect(told(customers, DEVICE)).toEqual([]);
    expect(told(customers, USER)).toEqual([[T + HOUR, 'TIME', 'cart_abandoned FIRED', T]]);
  });

  test('tell of an order that both placed once, also after they are parted', () => {
    const customers = new Customers(createCustomer(definitionsWithTriggers({ post_purchase: { afterDays: 2 } })))
      .event(DEVICE, T, order('o-1'))
      .event(USER, T + HOUR, order('o-1'))
      .foldAll();
    customers
      .link(DEVICE, USER, T + DAY)
      .foldAll()
      .silence(T + 3 * DAY);
    expect(told(customers, USER)).toEqual([[T + 2 * DAY, 'TIME', 'post_purchase FIRED', T]]);
    customers.unlink(DEVICE, USER, T + 3 * DAY).foldAll();
    customers.silence(T + 30 * DAY);
    expect([...told(customers, USER), ...told(customers, DEVICE)]).toHaveLength(1);
  });

  test('fire once for each cause, whatever is linked and parted when', () => {
    const types = ['CART_ADD', 'PRODUCT_VIEW', 'ORDER_PLACED', 'link', 'unlink'] as const;
    const step = fc.record({
      hours: fc.integer({ min: 0, max: 60 }),
      type: fc.constantFrom(...types),
      subject: fc.constantFrom(USER, DEVICE),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
        const customers = new Customers(processor);
        let at = T;
        for (const [place, { hours, type, subject }] of steps.entries()) {
          // Causes are told apart by their time.
          at += hours * HOUR + 1;
          customers.silence(at);
          if (type === 'link') customers.link(DEVICE, USER, at);
          else if (type === 'unlink') customers.unlink(DEVICE, USER, at);
          else customers.event(subject, at, type === 'ORDER_PLACED' ? order(`o-${place}`) : { type });
          customers.foldAll();
        }
        customers.silence(at + 200 * DAY);
        const fired = [USER, DEVICE]
          .flatMap((subject) => told(customers, subject))
          .flatMap(([, , what, cause]) =>
            String(what).endsWith('FIRED') && what !== 'milestone FIRED' ? [`${what} ${cause}`] : [],
          );
        expect(fired.filter((each, place) => fired.indexOf(each) !== place)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
