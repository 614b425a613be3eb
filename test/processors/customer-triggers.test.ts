import { describe, expect, test, vi } from 'vitest';
import type { TriggerSettings } from '../../processors/core/definitions.ts';
import { createCustomer } from '../../processors/customer/processor.ts';
import { TRIGGERS_PART } from '../../processors/customer/triggers.ts';
import type { Interaction } from '../../schemas/types.ts';
import { TRIGGER_SETTINGS } from '../harness/definition-sets.ts';
import { bytesOf, CustomerDriver, DAY, definitionsWithTriggers, HOUR, MIDNIGHT, MINUTE } from './customer-fixture.ts';

const T = MIDNIGHT + 10 * HOUR;
const ORDER = { orderId: 'o-1', amountMinor: 5000, currency: 'JPY', guest: false, items: [] };
const buy = (orderId = 'o-1') => ({ type: 'ORDER_PLACED', order: { ...ORDER, orderId } }) as const;
const cancel = (orderId = 'o-1') => ({ type: 'ORDER_CANCELLED', order: { ...ORDER, orderId } }) as const;
const CART = { type: 'CART_ADD' } as const;
const VIEW = { type: 'PRODUCT_VIEW' } as const;

const withTriggers = (changes: Partial<TriggerSettings>) => new CustomerDriver(definitionsWithTriggers(changes));
const only = <Name extends keyof TriggerSettings>(name: Name): Partial<TriggerSettings> => ({
  [name]: TRIGGER_SETTINGS[name],
});

/** `[at, cause of change, what, when its cause was]`; of a milestone its number. */
const told = ({ triggers }: CustomerDriver) =>
  triggers.map(({ occurredAt, cause, trigger, change, causeAt, measure, value }) => [
    occurredAt,
    cause,
    `${trigger} ${change}`,
    measure === null ? causeAt : `${measure} ${value}`,
  ]);

describe('a cart', () => {
  test('that is left fires an hour after what was last put into it, once', () => {
    const driver = withTriggers(only('cart_abandoned'))
      .record(T, CART)
      .record(T + 30 * MINUTE, { type: 'CHECKOUT_STARTED' })
      .silence(T + 30 * DAY);
    expect(told(driver)).toEqual([[T + 90 * MINUTE, 'TIME', 'cart_abandoned FIRED', T + 30 * MINUTE]]);
    expect(driver.triggers[0]).toMatchObject({ dueAt: T + 90 * MINUTE, measure: null, gapDays: null });
    // Looking at products, or taking something out, makes no other cart.
    driver.record(T + 31 * DAY, VIEW).record(T + 31 * DAY, { type: 'CART_REMOVE' });
    expect(told(driver.silence(T + 60 * DAY))).toHaveLength(1);
    driver.record(T + 61 * DAY, CART).silence(T + 62 * DAY);
    expect(told(driver).slice(1)).toEqual([[T + 61 * DAY + HOUR, 'TIME', 'cart_abandoned FIRED', T + 61 * DAY]]);
    expect(driver.gauges).toMatchObject({ triggers: 2 });
  });

  test('that is ordered in time is not told of, nor when the order is cancelled later, or before it comes', () => {
    const driver = withTriggers(only('cart_abandoned'))
      .record(T, CART)
      .record(T + 59 * MINUTE, buy())
      .record(T + 2 * HOUR, cancel())
      .record(T + 3 * HOUR, CART)
      .record(T + 3 * HOUR + 1, cancel('o-2'))
      .record(T + 3 * HOUR + 2, buy('o-2'))
      .silence(T + 30 * DAY);
    expect(told(driver)).toEqual([]);
  });

  test('that is ordered after it was told of cancels it, once; also by an order that comes late', () => {
    const driver = withTriggers(only('cart_abandoned'))
      .record(T, CART)
      .record(T + 2 * HOUR, { ...buy(), occurredAt: T + 20 * MINUTE })
      .record(T + 3 * HOUR, buy('o-2'))
      .silence(T + 30 * DAY);
    expect(told(driver)).toEqual([
      [T + HOUR, 'TIME', 'cart_abandoned FIRED', T],
      [T + 2 * HOUR, 'EVENT', 'cart_abandoned CANCELLED', T],
    ]);
    // An order from before the cart is about another one.
    const earlier = withTriggers(only('cart_abandoned'))
      .record(T, CART)
      .record(T + 2 * HOUR, { ...buy(), occurredAt: T - 1 });
    expect(told(earlier)).toHaveLength(1);
  });

  test('at the very instant at which it is due comes after it', () => {
    const driver = withTriggers(only('cart_abandoned'))
      .record(T, CART)
      .record(T + HOUR, buy());
    expect(told(driver).map(([at, cause, what]) => [at, cause, what])).toEqual([
      [T + HOUR, 'TIME', 'cart_abandoned FIRED'],
      [T + HOUR, 'EVENT', 'cart_abandoned CANCELLED'],
    ]);
  });

  test('that becomes known late fires then, unless it is too late', () => {
    const known = (lateMs: number) =>
      withTriggers(only('cart_abandoned'))
        .record(T + HOUR + lateMs, { ...CART, occurredAt: T })
        .silence(T + 9 * DAY);
    expect(told(known(24 * HOUR))).toEqual([[T + 25 * HOUR, 'EVENT', 'cart_abandoned FIRED', T]]);
    expect(known(24 * HOUR).triggers[0]?.dueAt).toBe(T + HOUR);
    expect(told(known(24 * HOUR + 1))).toEqual([]);
  });

  test('that comes twice, or behind a later one, is no other', () => {
    const driver = withTriggers(only('cart_abandoned'))
      .record(T, { ...CART, eventId: 'one' })
      .record(T + HOUR, { ...CART, eventId: 'one', occurredAt: T })
      .record(T + 2 * HOUR, { ...CART, eventId: 'another', occurredAt: T - MINUTE })
      .silence(T + DAY);
    expect(told(driver)).toEqual([[T + HOUR, 'TIME', 'cart_abandoned FIRED', T]]);
  });
});

describe('looking at products', () => {
  const looked = () =>
    withTriggers(only('browse_abandoned'))
      .record(T, VIEW)
      .record(T + HOUR, VIEW)
      .record(T + 2 * HOUR, VIEW);

  test('three times in a day fires a day after the last time; twice does not', () => {
    expect(told(looked().silence(T + 9 * DAY))).toEqual([
      [T + 26 * HOUR, 'TIME', 'browse_abandoned FIRED', T + 2 * HOUR],
    ]);
    const twice = withTriggers(only('browse_abandoned'))
      .record(T, VIEW)
      .record(T + HOUR, VIEW);
    expect(told(twice.silence(T + 9 * DAY))).toEqual([]);
    // The third one comes late.
    twice.record(T + 9 * DAY, VIEW).record(T + 9 * DAY + 1, { ...VIEW, occurredAt: T + 2 });
    expect(told(twice.silence(T + 20 * DAY))).toEqual([]);
  });

  test('and then putting one into the cart, or ordering, leaves it to the cart; having done so on that day, too', () => {
    expect(
      told(
        looked()
          .record(T + 3 * HOUR, CART)
          .silence(T + 9 * DAY),
      ),
    ).toEqual([]);
    expect(
      told(
        looked()
          .record(T + 3 * HOUR, buy())
          .silence(T + 9 * DAY),
      ),
    ).toEqual([]);
    const after = withTriggers(only('browse_abandoned')).record(T - HOUR, CART);
    for (const hours of [0, 1, 2]) after.record(T + hours * HOUR, VIEW);
    expect(told(after.silence(T + 9 * DAY))).toEqual([]);
    expect(
      told(
        looked()
          .silence(T + 2 * DAY)
          .record(T + 3 * DAY, CART),
      ).at(-1),
    ).toEqual([T + 3 * DAY, 'EVENT', 'browse_abandoned CANCELLED', T + 2 * HOUR]);
  });
});

describe('onboarding', () => {
  test('stalls seven days after the first interaction of a person, once in a life', () => {
    const driver = withTriggers(only('onboarding_stalled'))
      .record(T, { type: 'MESSAGE_DELIVERED' })
      .record(T + HOUR)
      .record(T + 3 * DAY)
      // One of before comes late.
      .record(T + 4 * DAY, { occurredAt: T - DAY })
      .silence(T + 60 * DAY);
    expect(told(driver)).toEqual([[T + 6 * DAY, 'TIME', 'onboarding_stalled FIRED', T - DAY]]);
    driver.record(T + 61 * DAY).silence(T + 90 * DAY);
    expect(told(driver)).toHaveLength(1);
    driver.record(T + 91 * DAY, buy());
    expect(told(driver).at(-1)).toEqual([T + 91 * DAY, 'EVENT', 'onboarding_stalled CANCELLED', T - DAY]);
  });

  test('does not begin with a machine, nor stall for who reaches the goal', () => {
    const byMachine = { type: 'MESSAGE_OPENED', machineGenerated: true } as const;
    const opened = withTriggers(only('onboarding_stalled')).record(T, byMachine);
    expect(told(opened.silence(T + 30 * DAY))).toEqual([]);
    // The first that the person does begins it, however much machines opened before.
    opened.record(T + 31 * DAY, byMachine).record(T + 32 * DAY);
    opened.record(T + 33 * DAY, byMachine).silence(T + 60 * DAY);
    expect(told(opened)).toEqual([[T + 39 * DAY, 'TIME', 'onboarding_stalled FIRED', T + 32 * DAY]]);
    expect(
      told(
        withTriggers(only('onboarding_stalled'))
          .record(T)
          .record(T + DAY, buy())
          .silence(T + 30 * DAY),
      ),
    ).toEqual([]);
    const goal = { onboarding_stalled: { afterDays: 3, goal: 'loyalty_actions' } };
    const enrolled = withTriggers(goal)
      .record(T, buy())
      .record(T + 2 * DAY, { type: 'LOYALTY_ENROLLED' });
    expect(told(enrolled.silence(T + 30 * DAY))).toEqual([]);
    expect(
      told(
        withTriggers(goal)
          .record(T, buy())
          .silence(T + 30 * DAY),
      ),
    ).toEqual([[T + 3 * DAY, 'TIME', 'onboarding_stalled FIRED', T]]);
  });
});

describe('replenishment', () => {
  const bought = (...days: number[]) => {
    const driver = withTriggers(only('replenishment_due'));
    for (const day of days) driver.record(T + day * DAY, buy(`o-${day}`));
    return driver;
  };

  test("is due by the customer's own gap, from three days with an order on", () => {
    expect(told(bought(0, 20).silence(T + 200 * DAY))).toEqual([]);
    const driver = bought(0, 20, 50).silence(T + 200 * DAY);
    // x = 2 and t_x = 50 days: 25 days on average.
    expect(told(driver)).toEqual([[T + 75 * DAY, 'TIME', 'replenishment_due FIRED', T + 50 * DAY]]);
    expect(driver.triggers[0]?.gapDays).toBe(25);
    driver.record(T + 200 * DAY, buy('next')).silence(T + 300 * DAY);
    expect(told(driver).slice(1)).toEqual([
      [T + 200 * DAY, 'EVENT', 'replenishment_due CANCELLED', T + 50 * DAY],
      [T + 200 * DAY + Math.ceil((200 * DAY) / 3), 'TIME', 'replenishment_due FIRED', T + 200 * DAY],
    ]);
  });

  test('never comes within a week, and moves with an order that comes late or is cancelled', () => {
    expect(told(bought(0, 1, 2).silence(T + 30 * DAY))).toEqual([
      [T + 9 * DAY, 'TIME', 'replenishment_due FIRED', T + 2 * DAY],
    ]);
    const late = bought(20, 40, 60).record(T + 61 * DAY, { ...buy('first'), occurredAt: T });
    expect(told(late.silence(T + 81 * DAY))).toEqual([[T + 80 * DAY, 'TIME', 'replenishment_due FIRED', T + 60 * DAY]]);
    const withdrawn = (day: number) => bought(0, 20, 40, 59).record(T + day * DAY, cancel('o-59'));
    expect(told(withdrawn(59.5).silence(T + 100 * DAY))).toEqual([
      [T + 60 * DAY, 'TIME', 'replenishment_due FIRED', T + 40 * DAY],
    ]);
    expect(told(withdrawn(61))).toEqual([[T + 61 * DAY, 'EVENT', 'replenishment_due FIRED', T + 40 * DAY]]);
    expect(told(withdrawn(62).silence(T + 100 * DAY))).toEqual([]);
  });
});

describe('winning back', () => {
  test('fires 90 days after the last order, and is cancelled by the next', () => {
    const driver = withTriggers(only('win_back'))
      .record(T, buy())
      .record(T + 10 * DAY, buy('o-2'))
      .silence(T + 120 * DAY)
      .record(T + 121 * DAY, buy('o-3'));
    expect(told(driver)).toEqual([
      [T + 100 * DAY, 'TIME', 'win_back FIRED', T + 10 * DAY],
      [T + 121 * DAY, 'EVENT', 'win_back CANCELLED', T + 10 * DAY],
    ]);
    // An order that is taken back leaves the one before, of which it was told.
    driver.record(T + 122 * DAY, cancel('o-3')).silence(T + 400 * DAY);
    expect(told(driver)).toHaveLength(2);
  });

  test('is cancelled when its only order is', () => {
    const driver = withTriggers(only('win_back'))
      .record(T, buy())
      .silence(T + 91 * DAY)
      .record(T + 92 * DAY, cancel());
    expect(told(driver).at(-1)).toEqual([T + 92 * DAY, 'EVENT', 'win_back CANCELLED', T]);
  });
});

describe('after a purchase', () => {
  test('every order fires once, in the order of their times, and is cancelled with the order', () => {
    const driver = withTriggers(only('post_purchase'))
      .record(T, buy())
      .record(T + 2 * DAY, buy('o-2'))
      .record(T + 3 * DAY, buy('o-3'))
      .record(T + 4 * DAY, cancel('o-2'))
      .record(T + 5 * DAY, { ...buy('late'), occurredAt: T + DAY })
      .record(T + 6 * DAY, { ...buy(), eventId: 'again' })
      .silence(T + 20 * DAY)
      .record(T + 21 * DAY, cancel('o-3'))
      .record(T + 22 * DAY, { ...cancel('o-3'), eventId: 'again-2' })
      .silence(T + 60 * DAY);
    expect(told(driver)).toEqual([
      [T + 14 * DAY, 'TIME', 'post_purchase FIRED', T],
      [T + 15 * DAY, 'TIME', 'post_purchase FIRED', T + DAY],
      [T + 17 * DAY, 'TIME', 'post_purchase FIRED', T + 3 * DAY],
      [T + 21 * DAY, 'EVENT', 'post_purchase CANCELLED', T + 3 * DAY],
    ]);
  });

  test('an order that becomes known late fires then, unless it is too late', () => {
    const known = (lateMs: number) =>
      withTriggers(only('post_purchase'))
        .record(T + 3 * DAY, buy('later'))
        .record(T + 14 * DAY + lateMs, { ...buy(), occurredAt: T })
        .silence(T + 60 * DAY);
    expect(told(known(DAY))[0]).toEqual([T + 15 * DAY, 'EVENT', 'post_purchase FIRED', T]);
    expect(told(known(DAY + 1))).toEqual([[T + 17 * DAY, 'TIME', 'post_purchase FIRED', T + 3 * DAY]]);
  });
});

describe('milestones', () => {
  const MILESTONES = { milestone: { orders: [1, 3], points_earned: [100, 200] } };

  test('fire when their number is reached, and are cancelled when it is not any more', () => {
    const driver = withTriggers(MILESTONES)
      .record(T, buy())
      .record(T + 1, buy('o-2'))
      .record(T + 2, buy('o-3'));
    driver
      .record(T + 3, cancel('o-2'))
      .record(T + 4, buy('o-4'))
      .record(T + 5, { ...buy('o-5') });
    expect(told(driver)).toEqual([
      [T, 'EVENT', 'milestone FIRED', 'orders 1'],
      [T + 2, 'EVENT', 'milestone FIRED', 'orders 3'],
      [T + 3, 'EVENT', 'milestone CANCELLED', 'orders 3'],
      [T + 4, 'EVENT', 'milestone FIRED', 'orders 3'],
    ]);
    const points = withTriggers(MILESTONES).record(T, { type: 'POINTS_EARNED', attributes: { points: '250' } });
    expect(told(points).map(([, , , number]) => number)).toEqual(['points_earned 100', 'points_earned 200']);
  });

  test('that were reached before anybody asked are not told', () => {
    const driver = new CustomerDriver(definitionsWithTriggers({})).record(T, buy()).record(T + 1, buy('o-2'));
    driver.processor = createCustomer(definitionsWithTriggers(MILESTONES, 'definitions-2'));
    driver.record(T + 2, buy('o-3'));
    expect(told(driver)).toEqual([[T + 2, 'DEFINITION', 'milestone FIRED', 'orders 3']]);
  });
});

describe('definitions that change', () => {
  const changed = (driver: CustomerDriver, changes: Partial<TriggerSettings>, hash = 'definitions-2') => {
    driver.processor = createCustomer(definitionsWithTriggers(changes, hash));
    return driver;
  };

  test('tell nothing twice, nor what has been due for long', () => {
    const driver = withTriggers(only('win_back'))
      .record(T, buy())
      .silence(T + 95 * DAY);
    changed(driver, { win_back: { afterDays: 100 } })
      .record(T + 96 * DAY)
      .silence(T + 300 * DAY);
    expect(told(driver)).toHaveLength(1);
    const old = new CustomerDriver(definitionsWithTriggers({})).record(T, buy()).silence(T + 95 * DAY);
    changed(old, only('win_back'))
      .record(T + 96 * DAY)
      .silence(T + 300 * DAY);
    expect(told(old)).toEqual([]);
    const young = new CustomerDriver(definitionsWithTriggers({})).record(T, buy());
    changed(young, only('win_back'))
      .record(T + DAY)
      .silence(T + 300 * DAY);
    expect(told(young)).toEqual([[T + 90 * DAY, 'TIME', 'win_back FIRED', T]]);
  });

  test('let a pending one come sooner or later, or never', () => {
    const driver = withTriggers(only('win_back')).record(T, buy());
    changed(driver, { win_back: { afterDays: 30 } })
      .record(T + DAY)
      .silence(T + 31 * DAY);
    expect(told(driver)).toEqual([[T + 30 * DAY, 'TIME', 'win_back FIRED', T]]);
    const gone = changed(withTriggers(only('win_back')).record(T, buy()), {});
    expect(told(gone.record(T + DAY).silence(T + 300 * DAY))).toEqual([]);
    const without = withTriggers(only('win_back')).record(T, buy());
    without.processor = createCustomer({ ...definitionsWithTriggers({}, 'definitions-2'), triggers: new Map() });
    expect(told(without.silence(T + 300 * DAY))).toEqual([]);
    // Asked for anew when it has been due for long.
    changed(without, only('win_back'), 'definitions-3')
      .record(T + 301 * DAY)
      .silence(T + 400 * DAY);
    expect(told(without)).toEqual([]);
  });

  test('do not let somebody stall who was known before', () => {
    const driver = new CustomerDriver(definitionsWithTriggers({})).record(T).record(T + DAY);
    changed(driver, only('onboarding_stalled'))
      .record(T + 50 * DAY)
      .silence(T + 90 * DAY);
    expect(told(driver)).toEqual([]);
  });
});

test('what a brand does not follow costs its customers nothing, and what moves no trigger unpacks none', () => {
  const without = new CustomerDriver({ ...definitionsWithTriggers({}), triggers: new Map() });
  for (const changes of [CART, VIEW, buy(), {}]) without.record(T, changes);
  expect(bytesOf(without, TRIGGERS_PART)).toBe(0);

  const driver = withTriggers(TRIGGER_SETTINGS)
    .record(T, CART)
    .record(T + MINUTE, buy());
  const read = vi.spyOn(TRIGGERS_PART, 'read');
  const others: Partial<Interaction>[] = [{}, { type: 'SEARCH' }, { type: 'MESSAGE_CLICKED' }, { type: 'COMPLAINT' }];
  for (const changes of others) driver.record(T + 2 * MINUTE, changes);
  expect(read).not.toHaveBeenCalled();
  driver.record(T + 3 * MINUTE, VIEW);
  expect(read).toHaveBeenCalled();
  read.mockRestore();
});

test('what is kept of triggers is small: 64 orders that were told, and some times', () => {
  const driver = withTriggers({ ...TRIGGER_SETTINGS, win_back: { afterDays: 30 } });
  driver.isRepacking = false;
  driver.record(T, CART);
  for (let day = 0; day < 4; day++) driver.record(T + day * 40 * DAY, buy(`o-${day}`));
  expect(bytesOf(driver.silence(T + 500 * DAY), TRIGGERS_PART)).toBeLessThanOrEqual(60);
  for (let day = 0; day < 100; day++) driver.record(T + (600 + day) * DAY + day, buy(`d-${day}`));
  expect(bytesOf(driver.silence(T + 1_000 * DAY), TRIGGERS_PART)).toBeLessThanOrEqual(400);
});
