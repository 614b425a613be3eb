import { DAY_MS, utcDay } from '../core/event-time.ts';
import { churnProbability } from './churn-risk.ts';
import type { OrderFacts } from './order-book.ts';
import type { Turn } from './turn.ts';

const WEEK_MS = 7 * DAY_MS;

/**
 * Notes, for the totals, what the model said of a customer at the moment of an order on a new day, and that the order before
 * it was followed by one within the horizon. A cancellation of the newest order takes both back. An order that arrives behind
 * a later one counts nothing here. Whoever is merged into another takes back what was noted of the last order; it is noted
 * anew where it is the last of both.
 */
export function countOutcome({ state, plan, contributions }: Turn, before: OrderFacts, after: OrderFacts): void {
  const model = plan.rules.churn;
  if (model === null || utcDay(before.lastAt) === utcDay(after.lastAt)) return;
  const isNew = after.lastAt > before.lastAt;
  const [older, newer] = isNew ? [before, after] : [after, before];
  const by = isNew ? 1 : -1;
  const { horizonDays } = model;
  const stats = { x: newer.days - 1, firstOrderAt: newer.firstAt, lastOrderAt: newer.lastAt };
  const risk = churnProbability(model, stats, newer.lastAt);
  const common = { brandId: state.brandId, of: 'outcome', horizonDays } as const;
  const week = Math.floor(newer.lastAt / WEEK_MS);
  contributions.push({ ...common, week, orders: by, predictedLost: by * risk, lost: by });
  if (older.days === 0 || newer.lastAt - older.lastAt > horizonDays * DAY_MS) return;
  contributions.push({ ...common, week: Math.floor(older.lastAt / WEEK_MS), orders: 0, predictedLost: 0, lost: -by });
}
