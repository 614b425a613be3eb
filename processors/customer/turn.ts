import type { Instant, Output } from '../core/processor.ts';
import type { ChangeCause } from '../../schemas/types.ts';
import type { OpenState } from './open-state.ts';
import type { Plan } from './plan.ts';
import type { CustomerState } from './state.ts';
import type { CustomerAddition } from './totals.ts';

/** The customer at hand: the state, its body opened, its brand's plan, the instant. */
export interface AtHand {
  readonly state: CustomerState;
  readonly open: OpenState;
  readonly plan: Plan;
  readonly now: Instant;
}

/** One instant of one customer: what is at hand, and what comes of it. */
export interface Turn {
  readonly state: CustomerState;
  /** The state's body, opened. */
  readonly open: OpenState;
  readonly plan: Plan;
  readonly now: Instant;
  readonly cause: ChangeCause;
  /** Every segment and every deadline must be looked at: the first event, or other definitions than last time. */
  readonly everything: boolean;
  readonly outputs: Output[];
  readonly contributions: CustomerAddition[];
}

export function turnOf({ state, open, plan, now }: AtHand, cause: ChangeCause, everything: boolean): Turn {
  return { state, open, plan, now, cause, everything, outputs: [], contributions: [] };
}
