import { NEVER, type Instant } from '../core/processor.ts';
import type { OpenState } from './open-state.ts';
import type { Plan } from './plan.ts';
import { settleDeadline } from './settle.ts';
import type { CustomerState } from './state.ts';

/** Every deadline flips something, and what is behind goes on shrinking: a silent customer comes to rest long before. */
const DEADLINES_MAX = 100_000;

/** A copy of a customer that goes on into silence, by the very deadlines that the processor applies. */
export class Foresight {
  /** The customer as far as silence was applied. */
  readonly state: CustomerState;
  readonly #open: OpenState;
  readonly #plan: Plan;
  #left = DEADLINES_MAX;

  constructor(state: CustomerState, open: OpenState, plan: Plan) {
    // A deadline replaces fields and never changes what they hold.
    this.state = { ...state };
    this.#open = open;
    this.#plan = plan;
  }

  /** Applies the next deadline unless it is later than `until`; answers whether it did. */
  step(until: Instant): boolean {
    const { state } = this;
    const { due } = state;
    if (due > until || due === NEVER || this.#left === 0) return false;
    this.#left -= 1;
    this.settle(due);
    return true;
  }

  /** Evaluates at `now` what is due then, or everything under other definitions than before. */
  settle(now: Instant): void {
    this.#open.open(this.state);
    settleDeadline({ state: this.state, open: this.#open, plan: this.#plan, now });
  }
}
