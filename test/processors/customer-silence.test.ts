import { describe, expect, test } from 'vitest';
import { churnBand } from '../../processors/customer/churn-risk.ts';
import { churnModel, CustomerDriver, DAY, definitions, HOUR, MIDNIGHT, MINUTE } from './customer-fixture.ts';

const T = MIDNIGHT + 10 * HOUR + 7 * MINUTE;
const FIVE = 5 * MINUTE;

const ORDER = { orderId: 'o-1', amountMinor: 5000, currency: 'JPY', guest: false, items: [] };

function exits(driver: CustomerDriver): [number, string[]][] {
  return driver.memberships.filter(({ cause }) => cause === 'TIME').map(({ at, changes }) => [at, changes]);
}

describe('windows end by themselves', () => {
  test('at (slot + k + 1) hops exactly, for each ring', () => {
    const driver = new CustomerDriver(
      definitions({
        hour: { 'traits.page_views.1h': { $gte: 1 } },
        day: { 'traits.page_views.24h': { $gte: 1 } },
        week: { 'traits.page_views.7d': { $gte: 1 } },
        month: { 'traits.page_views.30d': { $gte: 1 } },
        year: { 'traits.page_views.365d': { $gte: 1 } },
        ever: { 'traits.page_views.lifetime': { $gte: 1 } },
      }),
    )
      .record(T)
      .silence(T + 400 * DAY);
    expect(exits(driver)).toEqual([
      [Math.floor(T / FIVE) * FIVE + 13 * FIVE, ['-hour']],
      [Math.floor(T / HOUR) * HOUR + 25 * HOUR, ['-day']],
      [Math.floor(T / HOUR) * HOUR + 169 * HOUR, ['-week']],
      [MIDNIGHT + 31 * DAY, ['-month']],
      [MIDNIGHT + 366 * DAY, ['-year']],
    ]);
    expect(driver.processor.nextDue(driver.state)).toBe(Infinity);
  });

  test('only the tile whose going matters wakes the customer', () => {
    const driver = new CustomerDriver(definitions({ busy: { 'traits.social_actions.24h': { $gte: 3 } } }));
    for (let hour = 0; hour < 5; hour++) driver.record(T + hour * HOUR, { type: 'SOCIAL_LIKE' });
    driver.silence(T + 60 * DAY);
    // Five of them: the third newest, of hour 2, must leave.
    expect(exits(driver)).toEqual([[Math.floor(T / HOUR) * HOUR + 27 * HOUR, ['-busy']]]);
    // Once when three are left, exactly on the rule's constant, and once when they are fewer.
    expect(driver.wakeups).toHaveLength(2);
  });

  test('silence can enter a segment, and leave one that names it', () => {
    const driver = new CustomerDriver(
      definitions({
        active: { 'traits.interactions.24h': { $gte: 1 } },
        lapsed: { $nor: [{ segments: 'active' }] },
        warm: { segments: 'active' },
      }),
    )
      .record(T)
      .silence(T + 3 * DAY);
    const end = Math.floor(T / HOUR) * HOUR + 25 * HOUR;
    expect(exits(driver)).toEqual([[end, ['-active', '+lapsed', '-warm']]]);
    expect(driver.memberships.at(-1)?.members).toEqual(['lapsed']);
  });

  test('a ratio flips when what it divides leaves, and when nothing is left to divide by', () => {
    const driver = new CustomerDriver(definitions({ clicker: { 'ratios.ctr.24h': { $gte: 0.5 } } }))
      .record(T, { type: 'MESSAGE_DELIVERED' })
      .record(T + HOUR, { type: 'MESSAGE_DELIVERED' })
      .record(T + 2 * HOUR, { type: 'MESSAGE_DELIVERED' })
      .record(T + 2 * HOUR, { type: 'MESSAGE_CLICKED' })
      .silence(T + 4 * DAY);
    const hour = Math.floor(T / HOUR) * HOUR;
    expect(driver.memberships.map(({ at, changes }) => [at, changes])).toEqual([
      [hour + 25 * HOUR, ['+clicker']],
      [hour + 27 * HOUR, ['-clicker']],
    ]);
  });
});

describe('ages grow by themselves', () => {
  test('a whole day after the last one, to the millisecond', () => {
    const driver = new CustomerDriver(
      definitions({ silent: { 'ages.interactions': { $gte: 30 } }, third: { 'ages.interactions': 3 } }),
    )
      .record(T)
      .silence(T + 40 * DAY)
      .record(T + 40 * DAY);
    expect(driver.memberships.map(({ at, cause, changes }) => [at - T, cause, changes])).toEqual([
      [3 * DAY, 'TIME', ['+third']],
      [4 * DAY, 'TIME', ['-third']],
      [30 * DAY, 'TIME', ['+silent']],
      [40 * DAY, 'EVENT', ['-silent']],
    ]);
  });

  test('a cancelled order leaves no age', () => {
    const driver = new CustomerDriver(definitions({ lapsing: { 'ages.orders': { $gte: 60 } } }))
      .record(T, { type: 'ORDER_PLACED', order: { ...ORDER, orderId: 'first' } })
      .record(T + 10 * DAY, { type: 'ORDER_PLACED', order: ORDER })
      .record(T + 20 * DAY, { type: 'ORDER_CANCELLED', order: ORDER })
      .silence(T + 200 * DAY);
    expect(exits(driver)).toEqual([[T + 60 * DAY, ['+lapsing']]]);
  });
});

describe('churn risk', () => {
  test('is published on every order, and by silence on each band and each 0.05', () => {
    const driver = new CustomerDriver(definitions({}))
      .record(T, { type: 'ORDER_PLACED', order: ORDER })
      .record(T + DAY, { type: 'ORDER_PLACED', order: { ...ORDER, orderId: 'o-2' } })
      .silence(T + 2000 * DAY);
    const [first, second, ...later] = driver.churn;
    expect(first).toMatchObject({ occurredAt: T, cause: 'EVENT', previousBand: null, horizonDays: 90 });
    expect(second).toMatchObject({ occurredAt: T + DAY, cause: 'EVENT', previousBand: first?.band });
    expect(later.length).toBeGreaterThan(5);
    let previous = second;
    for (const change of later) {
      const moved = change.probability - (previous?.probability ?? 0);
      expect(change).toMatchObject({
        cause: 'TIME',
        band: churnBand(change.probability),
        previousBand: previous?.band,
      });
      expect(moved >= 0.05 - 1e-12 || change.band !== previous?.band).toBe(true);
      // Not a millisecond late: a moment before, it was on the near side of every limit.
      const before = driver.view(change.occurredAt - 1).churn?.probability ?? 1;
      expect(before < (previous?.probability ?? 0) + 0.05 && churnBand(before) === previous?.band).toBe(true);
      previous = change;
    }
    expect(driver.gauges).toMatchObject({ MEDIUM: 0, HIGH: 1 });
  });

  test('says by which properties it differs from the reference customer, by silence too', () => {
    const driver = new CustomerDriver(definitions({}))
      .record(T, { type: 'ORDER_PLACED', order: ORDER })
      .record(T + 7 * DAY, { type: 'ORDER_PLACED', order: { ...ORDER, orderId: 'o-2' } })
      .silence(T + 2000 * DAY);
    const { baseline } = churnModel();
    expect(driver.churn.length).toBeGreaterThan(5);
    for (const { occurredAt, probability, reasons } of driver.churn) {
      const isFirst = occurredAt === T;
      const age = (occurredAt - T) / (7 * DAY);
      expect(reasons).toEqual([
        { code: 'inactivity', contribution: expect.any(Number) as number, value: isFirst ? 0 : age - 1, baseline: 1 },
        { code: 'frequency', contribution: expect.any(Number) as number, value: isFirst ? 0 : 1, baseline: baseline.x },
        { code: 'tenure', contribution: expect.any(Number) as number, value: age, baseline: baseline.T },
      ]);
      const sum = reasons.reduce((total, { contribution }) => total + contribution, 0);
      expect(Math.abs(sum - (probability - baseline.probability))).toBeLessThan(1e-9);
    }
  });

  test('that crosses a rule by silence enters its segment at that instant', () => {
    const driver = new CustomerDriver(definitions({ risky: { 'churn.probability': { $gte: 0.9 } } }))
      .record(T, { type: 'ORDER_PLACED', order: ORDER })
      .silence(T + 900 * DAY);
    const [entered] = driver.memberships;
    expect(entered).toMatchObject({ cause: 'TIME', changes: ['+risky'] });
    expect(driver.view((entered?.at ?? 0) - 1).churn?.probability).toBeLessThan(0.9);
    expect(driver.view(entered?.at ?? 0).churn?.probability).toBeGreaterThanOrEqual(0.9);
  });

  test('a new band by silence publishes traits; other silence does not', () => {
    const driver = new CustomerDriver(definitions({ seen: { 'traits.orders.24h': { $gte: 1 } } }))
      .record(T, { type: 'ORDER_PLACED', order: ORDER })
      .record(T + DAY, { type: 'ORDER_PLACED', order: { ...ORDER, orderId: 'o-2' } })
      .silence(T + 2000 * DAY);
    const bands = driver.churn.filter(({ cause, band, previousBand }) => cause === 'TIME' && band !== previousBand);
    expect(driver.traits.slice(2).map(({ occurredAt }) => occurredAt)).toEqual(bands.map((each) => each.occurredAt));
    expect(bands.length).toBeGreaterThan(0);
  });

  test('without an order, or after the only one was cancelled, there is no number', () => {
    const driver = new CustomerDriver(definitions({}))
      .record(T, { type: 'ORDER_PLACED', order: ORDER })
      .record(T + HOUR, { type: 'ORDER_CANCELLED', order: ORDER })
      .silence(T + 500 * DAY);
    expect(driver.churn).toHaveLength(1);
    expect(driver.view(T + HOUR)).not.toHaveProperty('churn');
    expect(driver.gauges).toMatchObject({ INSUFFICIENT_DATA: 1, HIGH: 0 });
  });
});

test('when sweeps ran makes no difference', () => {
  const set = definitions({
    busy: { 'traits.page_views.1h': { $gte: 2 } },
    silent: { 'ages.interactions': { $gte: 2 } },
    risky: { 'churn.probability': { $gte: 0.6 } },
  });
  const play = (sweepEvery: number, isRepacking: boolean): CustomerDriver => {
    const driver = new CustomerDriver(set);
    driver.isRepacking = isRepacking;
    for (let step = 0; step < 40; step++) {
      const at = T + step * step * HOUR;
      if (step % sweepEvery === 0) driver.silence(at - 1);
      driver.record(at).record(at + MINUTE);
      if (step % 7 === 0)
        driver.record(at + 2 * MINUTE, { type: 'ORDER_PLACED', order: { ...ORDER, orderId: `${step}` } });
    }
    return driver.silence(T + 900 * DAY);
  };
  const lazy = play(1000, false);
  for (const other of [play(1, true), play(3, false)]) {
    expect(other.outputs).toEqual(lazy.outputs);
    expect(other.packed()).toEqual(lazy.packed());
  }
});
