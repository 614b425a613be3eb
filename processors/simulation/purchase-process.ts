import type { Instant } from '../core/processor.ts';
import type { Random } from './random.ts';
import { WEEK_MS } from './rhythm.ts';

/**
 * The purchases of the simulated customers follow the very model that predicts them, MBG/NBD (definitions/churn/demo.json
 * holds the same numbers, and a test compares them): a customer buys at a constant rate, gamma distributed over customers
 * with shape r and rate α, and after each purchase, the first included, is gone with a probability that is beta distributed
 * (a, b). Weeks.
 */
export const PURCHASE_PROCESS = { r: 0.9, alpha: 5, a: 0.7, b: 2.5 } as const;

/** How one customer buys. */
export interface PurchaseHabit {
  readonly purchasesPerWeek: number;
  /** The probability to be gone for good after a purchase. */
  readonly dropOut: number;
}

export function drawPurchaseHabit(random: Random): PurchaseHabit {
  const { r, alpha, a, b } = PURCHASE_PROCESS;
  return { purchasesPerWeek: random.gamma(r) / alpha, dropOut: random.beta(a, b) };
}

/** When a customer who bought at `after` buys next; infinite when this purchase was the last one. */
export function drawNextPurchase(habit: PurchaseHabit, after: Instant, random: Random): Instant {
  if (random.chance(habit.dropOut)) return Number.POSITIVE_INFINITY;
  return after + random.exponential(1 / habit.purchasesPerWeek) * WEEK_MS;
}
