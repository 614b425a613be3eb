import type { TriggerName } from '../core/definitions.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import type { OpenState } from './open-state.ts';
import type { Plan } from './plan.ts';
import { TriggerFacts } from './trigger-facts.ts';
import { SILENT_TRIGGERS, TRIGGERS_PART } from './triggers.ts';

/** What will be fired if nothing happens; `causeAt`: when that happened which it is about. */
export interface PendingTrigger {
  readonly trigger: TriggerName;
  readonly causeAt: Instant;
  readonly dueAt: Instant;
}

/** The triggers of a customer as they stand. */
export interface TriggerView {
  /** The earliest first; of orders that are asked about, the next one alone. */
  readonly pending: readonly PendingTrigger[];
  /** The newest that was fired of each kind, which nothing has made moot. */
  readonly standing: readonly Pick<PendingTrigger, 'trigger' | 'causeAt'>[];
}

/** The customer at hand, every deadline up to now applied. */
export function triggersOf(open: OpenState, { triggers: rules }: Plan): TriggerView {
  const pending: PendingTrigger[] = [];
  const standing: Pick<PendingTrigger, 'trigger' | 'causeAt'>[] = [];
  if (rules === null || !open.parts.has(TRIGGERS_PART)) return { pending, standing };
  const triggers = open.parts.get(TRIGGERS_PART);
  const facts = new TriggerFacts().of(open, triggers);
  for (const [place, trigger] of SILENT_TRIGGERS.entries()) {
    const { toldAt = -1, stands = false, dueAt = NEVER } = triggers.silent[place] ?? {};
    if (stands) standing.push({ trigger, causeAt: toldAt });
    const rule = rules.silent[place] ?? null;
    if (rule !== null && dueAt !== NEVER) pending.push({ trigger, causeAt: rule.causeAt(facts), dueAt });
  }
  const { orderDueAt, toldOrders } = triggers;
  const lastTold = toldOrders.at(-1);
  if (lastTold !== undefined) standing.push({ trigger: 'post_purchase', causeAt: lastTold });
  if (orderDueAt !== NEVER && rules.afterOrderMs !== null) {
    pending.push({ trigger: 'post_purchase', causeAt: orderDueAt - rules.afterOrderMs, dueAt: orderDueAt });
  }
  return { pending: pending.sort((one, other) => one.dueAt - other.dueAt), standing };
}
