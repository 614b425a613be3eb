import { probabilityAlive, type ChurnModel } from '../customer/churn-model.ts';
import { hypergeometric } from './hypergeometric.ts';
import type { OrderStatistic } from './order-history.ts';

/** How near a may come to 1, where the formula is 0/0: so far away it is still right to seven digits. */
const AWAY_FROM_ONE = 1e-7;

/**
 * How many orders a customer will make in the next `weeks` (Fader, Hardie and Lee 2005, for MBG Hoppe and Wagner 2007), with
 * d = b + x − 1 for BG/NBD and b + x for MBG/NBD:
 *
 *   (a+d)/(a−1) · [1 − ((α+T)/(α+T+t))^(r+x) · 2F1(r+x, d+1; a+d; t/(α+T+t))] · P(alive)
 */
export function expectedOrders(model: ChurnModel, { x, tx, T }: OrderStatistic, weeks: number): number {
  const { r, alpha, b, leavesAtFirst } = model;
  const a = Math.abs(model.a - 1) < AWAY_FROM_ONE ? 1 + AWAY_FROM_ONE : model.a;
  const d = leavesAtFirst ? b + x : b + x - 1;
  const until = alpha + T + weeks;
  const unmoved = ((alpha + T) / until) ** (r + x) * hypergeometric(r + x, d + 1, a + d, weeks / until);
  return ((a + d) / (a - 1)) * (1 - unmoved) * probabilityAlive(model, x, tx, T);
}
