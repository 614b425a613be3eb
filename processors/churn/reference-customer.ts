import type { OrderStatistic } from './order-history.ts';

/** The customer in the middle: median repeat orders, age, and gap since the last order. Weeks to two places. */
export function referenceCustomer(statistics: readonly OrderStatistic[]): OrderStatistic {
  const x = median(statistics.map((each) => each.x));
  const T = toHundredths(median(statistics.map((each) => each.T)));
  const gap = toHundredths(median(statistics.map((each) => each.T - each.tx)));
  return { x, tx: x === 0 ? 0 : toHundredths(Math.max(0, T - gap)), T };
}

/** The lower one of two in the middle, so that it is somebody's value. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length / 2) - 1] ?? 0;
}

const toHundredths = (weeks: number): number => Math.round(weeks * 100) / 100;
