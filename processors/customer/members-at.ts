import type { Instant } from '../core/processor.ts';
import { Foresight } from './foresight.ts';
import type { OpenState } from './open-state.ts';
import type { Plan } from './plan.ts';
import type { CustomerState } from './state.ts';

/**
 * The segments that a customer is in at `now`, which may not be before its clock, by the very deadlines and evaluations that
 * the processor applies; null for whoever is in none because nothing ever evaluated it, as a subject that is linked to a
 * stronger one. The state stays as it was.
 */
export function membersAt(state: CustomerState, open: OpenState, plan: Plan, now: Instant): readonly string[] | null {
  const foresight = new Foresight(state, open, plan);
  while (foresight.step(now));
  const { state: copy } = foresight;
  if (copy.rules === 0) return null;
  if (copy.rules !== plan.version) foresight.settle(now);
  return copy.segments.ids;
}
