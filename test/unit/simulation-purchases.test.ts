import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { churnModelOf } from '../../processors/customer/churn-model.ts';
import { churnBand, churnProbability } from '../../processors/customer/churn-risk.ts';
import { drawNextPurchase, drawPurchaseHabit, PURCHASE_PROCESS } from '../../processors/simulation/purchase-process.ts';
import { Random } from '../../processors/simulation/random.ts';
import { DAY_MS } from '../../processors/simulation/rhythm.ts';
import { simulateShop } from '../../processors/simulation/shop.ts';

const SHIPPED = new URL('../../processors/definitions/churn/demo.json', import.meta.url);
const HORIZON_MS = 90 * DAY_MS;
const model = churnModelOf({
  model: 'mbg-nbd',
  horizonDays: 90,
  parameters: PURCHASE_PROCESS,
  baseline: { probability: 0, x: 0, tx: 0, T: 0 },
  version: 'test',
});

/** What the model says of the orders up to `until`, as the customer processor would. */
function riskAt(orders: readonly number[], until: number): number {
  const days = new Set(orders.map((at) => Math.floor(at / DAY_MS)));
  const stats = { x: days.size - 1, firstOrderAt: Math.min(...orders), lastOrderAt: Math.max(...orders) };
  return churnProbability(model, stats, until);
}

test('the shipped churn model is the one the customers follow', () => {
  expect(JSON.parse(readFileSync(SHIPPED, 'utf8'))).toMatchObject({
    model: 'mbg-nbd',
    horizonDays: 90,
    parameters: PURCHASE_PROCESS,
  });
});

test('purchases drawn from the process are as frequent as the model says, at every level of risk', () => {
  const random = new Random(11);
  const until = 30 * 7 * DAY_MS;
  const groups = new Map<string, { predicted: number; silent: number; customers: number }>();
  for (let customer = 0; customer < 20_000; customer++) {
    const habit = drawPurchaseHabit(random);
    const orders: number[] = [];
    let at = random.between(0, until);
    while (at <= until + HORIZON_MS) {
      orders.push(at);
      at = drawNextPurchase(habit, at, random);
    }
    const known = orders.filter((time) => time <= until);
    const predicted = riskAt(known, until);
    const band = churnBand(predicted);
    const group = groups.get(band) ?? { predicted: 0, silent: 0, customers: 0 };
    group.predicted += predicted;
    group.silent += orders.length === known.length ? 1 : 0;
    group.customers++;
    groups.set(band, group);
  }
  expect([...groups.keys()].toSorted()).toEqual(['HIGH', 'LOW', 'MEDIUM']);
  for (const { predicted, silent, customers } of groups.values()) {
    expect(customers).toBeGreaterThan(1000);
    expect(Math.abs(predicted - silent) / customers).toBeLessThan(0.03);
  }
});

test('after a year every churn band has members, and so the demonstration has something to show', () => {
  const from = Date.UTC(2025, 0, 6);
  const to = from + 364 * DAY_MS;
  const orders = new Map<string, number[]>();
  for (const record of simulateShop({ seed: 1, customers: 2000, from, to })) {
    if (record.kind !== 'interaction' || record.value.type !== 'ORDER_PLACED') continue;
    const times = orders.get(record.key) ?? [];
    times.push(record.value.occurredAt);
    orders.set(record.key, times);
  }
  const bands = new Map<string, number>();
  for (const times of orders.values()) {
    const band = churnBand(riskAt(times, to));
    bands.set(band, (bands.get(band) ?? 0) + 1);
  }
  expect(orders.size).toBeGreaterThan(1200);
  expect(Math.min(...['LOW', 'MEDIUM', 'HIGH'].map((band) => bands.get(band) ?? 0))).toBeGreaterThan(100);
});
