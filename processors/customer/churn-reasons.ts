import type { Instant } from '../core/processor.ts';
import type { ChurnReason } from '../../schemas/types.ts';
import { churnRisk, type ChurnModel } from './churn-model.ts';
import { ageWeeks, recencyWeeks, type OrderStatistics } from './churn-risk.ts';

/**
 * Why a customer's risk differs from that of the model's reference customer: what remains of it when one property after the
 * other is made the reference customer's, first the gap since the last order, then the number of repeat orders, then the
 * age. The steps telescope, so the contributions add up to the probability less the baseline's. Along the way the last order
 * is where the gap puts it, but never before the first: t_x = max(0, T − gap).
 *
 * `inactivity` and `tenure` are in weeks, `frequency` counts repeat order days, as in the model's baseline.
 */
export function churnReasons(
  model: ChurnModel,
  stats: OrderStatistics,
  now: Instant,
  probability: number,
): ChurnReason[] {
  const { baseline } = model;
  const { x } = stats;
  const age = ageWeeks(stats, now);
  const gap = age - recencyWeeks(stats);
  const baselineGap = baseline.T - baseline.tx;
  const afterGap = churnRisk(model, x, Math.max(0, age - baselineGap), age);
  const afterOrders = churnRisk(model, baseline.x, Math.max(0, age - baselineGap), age);
  return [
    { code: 'inactivity', contribution: probability - afterGap, value: gap, baseline: baselineGap },
    { code: 'frequency', contribution: afterGap - afterOrders, value: x, baseline: baseline.x },
    // The last step ends at the stated baseline, which may differ from the model's own by a rounding.
    { code: 'tenure', contribution: afterOrders - baseline.probability, value: age, baseline: baseline.T },
  ];
}
