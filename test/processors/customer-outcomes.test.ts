import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import { churnModelOf } from '../../processors/customer/churn-model.ts';
import { churnProbability } from '../../processors/customer/churn-risk.ts';
import { createCustomer } from '../../processors/customer/processor.ts';
import { customerTotals, type CustomerTotals } from '../../processors/customer/totals.ts';
import { simulatedOrders } from '../harness/simulated-orders.ts';
import { churnModel, CustomerDriver, DAY, definitions, HOUR, MIDNIGHT } from './customer-fixture.ts';

const WEEK = 7 * DAY;
/** Monday or not, a week of the totals begins here. */
const START = Math.ceil(MIDNIGHT / WEEK) * WEEK;
const order = (orderId: string) => ({ orderId, amountMinor: 100, currency: 'JPY', guest: false, items: [] });
const placed = (orderId: string) => ({ type: 'ORDER_PLACED', order: order(orderId) }) as const;
const cancelled = (orderId: string) => ({ type: 'ORDER_CANCELLED', order: order(orderId) }) as const;

/** The gauges of the outcomes, repacked on the way. */
function outcomesOf(totals: CustomerTotals): Record<string, number> {
  const writer = new ByteWriter();
  customerTotals.pack(totals, writer);
  const samples = [...customerTotals.gauges(customerTotals.unpack(new ByteReader(writer.copy())))];
  return Object.fromEntries(
    samples
      .filter(({ name }) => name.startsWith('churn_'))
      .map(({ name, value }) => [name.replace('churn_', ''), value]),
  );
}

/** A customer in a partition that has seen an order of the week before, with which the asking began. */
function asked(): CustomerDriver {
  const driver = new CustomerDriver(definitions({}));
  const addition = { brandId: 'acme', of: 'outcome', horizonDays: 90, orders: 1, predictedLost: 0.5, lost: 1 } as const;
  customerTotals.contribute(driver.totals, { ...addition, week: START / WEEK - 1 });
  return driver;
}

/** Lets a week pass far enough ahead that what was ordered in the first one is told. */
function mature(driver: CustomerDriver, weeks = 14): Record<string, number> {
  const { totals } = driver;
  const addition = { brandId: 'acme', of: 'outcome', horizonDays: 90, orders: 0, predictedLost: 0, lost: 0 } as const;
  customerTotals.contribute(totals, { ...addition, week: START / WEEK + weeks });
  return outcomesOf(totals);
}

function riskOfOrder(x: number, firstOrderAt: number, at: number): number {
  return churnProbability(churnModelOf(churnModel()), { x, firstOrderAt, lastOrderAt: at }, at);
}

describe('what came of churn risks', () => {
  test('is told of a week once the horizon of its last order has passed', () => {
    const driver = asked().record(START + HOUR, placed('a'));
    expect(outcomesOf(driver.totals)).toEqual({});
    expect(mature(driver, 13)).toEqual({});
    const risk = riskOfOrder(0, START + HOUR, START + HOUR);
    expect(mature(driver, 14)).toEqual({ matured_orders: 1, predicted_lost: risk, observed_lost: 1 });
    expect(mature(driver, 17)).toMatchObject({ matured_orders: 1 });
    // Four weeks are told, and what is older is forgotten.
    expect(mature(driver, 18)).toEqual({});
    expect(driver.totals.brands.get('acme')?.outcomes.weeks.size).toBeLessThanOrEqual(18);
  });

  test('is an order within the horizon of the one before it', () => {
    const [first, second] = [START + HOUR, START + 3 * DAY];
    const returned = asked().record(first, placed('a')).record(second, placed('b'));
    const predicted = riskOfOrder(0, first, first) + riskOfOrder(1, first, second);
    expect(mature(returned)).toEqual({ matured_orders: 2, predicted_lost: predicted, observed_lost: 1 });

    const atTheEnd = asked()
      .record(first, placed('a'))
      .record(first + 90 * DAY, placed('b'));
    expect(mature(atTheEnd)).toMatchObject({ matured_orders: 1, observed_lost: 0 });
    const tooLate = asked()
      .record(first, placed('a'))
      .record(first + 90 * DAY + 1, placed('b'));
    expect(mature(tooLate)).toMatchObject({ matured_orders: 1, observed_lost: 1 });
  });

  test('counts several orders on one day, and repeats, once', () => {
    const driver = asked()
      .record(START + HOUR, placed('a'))
      .record(START + 2 * HOUR, placed('b'))
      .record(START + 2 * HOUR, placed('a'));
    expect(mature(driver)).toMatchObject({ matured_orders: 1, observed_lost: 1 });
  });

  test('leaves out an order that arrives behind a later one', () => {
    const driver = asked()
      .record(START + 2 * DAY, placed('a'))
      .record(START + 5 * DAY, { ...placed('b'), occurredAt: START + DAY });
    expect(mature(driver)).toMatchObject({ matured_orders: 1, observed_lost: 1 });
  });

  test('is not told of orders before the model was there, nor of the week in which it came', () => {
    const before = { ...definitions({}), churn: new Map() };
    const driver = new CustomerDriver(before).record(START + HOUR, placed('a'));
    driver.processor = createCustomer(definitions({}, 'with a model'));
    driver.record(START + 8 * DAY, placed('b')).record(START + 16 * DAY, placed('c'));
    const risk = riskOfOrder(2, START + HOUR, START + 16 * DAY);
    expect(mature(driver, 16)).toEqual({ matured_orders: 1, predicted_lost: risk, observed_lost: 1 });
  });

  test('begins anew when the model looks further ahead', () => {
    const driver = asked().record(START + HOUR, placed('a'));
    const further = {
      brandId: 'acme',
      of: 'outcome',
      horizonDays: 180,
      orders: 1,
      predictedLost: 0.4,
      lost: 1,
    } as const;
    customerTotals.contribute(driver.totals, { ...further, week: START / WEEK + 1 });
    customerTotals.contribute(driver.totals, { ...further, week: START / WEEK + 2 });
    customerTotals.contribute(driver.totals, { ...further, week: START / WEEK + 2 + 27 });
    expect(outcomesOf(driver.totals)).toEqual({ matured_orders: 1, predicted_lost: 0.4, observed_lost: 1 });
  });

  test('is as if the newest order had never been once it is cancelled', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 120 }), (days, last) => {
        let at = START;
        const driver = new CustomerDriver(definitions({}));
        for (const [place, gap] of days.entries()) driver.record((at += gap * DAY), placed(`o-${place}`));
        const before = outcomes(driver);
        driver.record(at + last * DAY, placed('gone')).record(at + last * DAY + HOUR, cancelled('gone'));
        // What was forgotten while the order stood does not come back.
        const after = outcomes(driver);
        for (const [week, [orders, predicted, lost]] of after) {
          const [ordersBefore, predictedBefore, lostBefore] = before.get(week) ?? [0, 0, 0];
          expect([orders, lost]).toEqual([ordersBefore, lostBefore]);
          expect(predicted).toBeCloseTo(predictedBefore, 12);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('agrees with a model that the customers follow, and not with another one', () => {
    const truth = { r: 0.9, alpha: 9, a: 0.7, b: 2.5 };
    const histories = simulatedOrders('mbg-nbd', truth, { customers: 1_500, weeks: 60, seed: 2 });
    const driftOf = (parameters: typeof truth): number => {
      const model = { ...churnModel(), parameters };
      const baseline = { x: 0, tx: 0, T: 0 };
      const fitted = churnModelOf({ ...model, baseline: { ...baseline, probability: 0 } });
      const probability = churnProbability(fitted, { x: 0, firstOrderAt: 0, lastOrderAt: 0 }, 0);
      const customer = createCustomer({
        ...definitions({}),
        churn: new Map([['acme', { ...model, baseline: { ...baseline, probability } }]]),
      });
      const totals = customerTotals.initial();
      for (const [place, history] of histories.entries()) {
        const driver = new CustomerDriver(customer, `u:${place}`, totals);
        driver.isRepacking = false;
        for (const [index, at] of history.entries()) driver.record(at, placed(`${place}-${index}`));
      }
      const {
        matured_orders: orders = NaN,
        predicted_lost: predicted = NaN,
        observed_lost: lost = NaN,
      } = outcomesOf(totals);
      expect(orders).toBeGreaterThan(100);
      // In standard errors of a share, at most.
      return (predicted - lost) / Math.sqrt(orders / 4);
    };
    expect(Math.abs(driftOf(truth))).toBeLessThan(3);
    expect(driftOf({ ...truth, alpha: 60 })).toBeGreaterThan(4);
  });
});

test('totals written before there were outcomes are read', () => {
  const writer = new ByteWriter();
  writer.byte(1);
  writer.uint(1);
  writer.string('acme');
  writer.uint(1);
  writer.string('vip');
  writer.int(3);
  writer.uint(0);
  const totals = customerTotals.unpack(new ByteReader(writer.copy()));
  expect([...customerTotals.gauges(totals)]).toEqual([
    { name: 'segment_members', labels: { brand: 'acme', segment: 'vip' }, value: 3 },
  ]);
});

function outcomes({ totals }: CustomerDriver): Map<number, [number, number, number]> {
  const weeks = totals.brands.get('acme')?.outcomes.weeks ?? new Map<number, never>();
  return new Map([...weeks].map(([week, { orders, predictedLost, lost }]) => [week, [orders, predictedLost, lost]]));
}
