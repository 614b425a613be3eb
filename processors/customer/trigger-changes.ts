import type { TriggerChange, TriggerChanged } from '../../schemas/types.ts';
import type { TriggerName } from '../core/definitions.ts';
import { DAY_MS } from '../core/event-time.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { MEASURES } from './features.ts';
import type { RememberedOrder } from './order-book.ts';
import { TriggerFacts } from './trigger-facts.ts';
import { meanGapMs, ORDERED, type MilestoneRule, type SilentRule } from './trigger-plan.ts';
import {
  forgetTold,
  milestoneOf,
  noteTold,
  setMilestone,
  TRIGGERS_PART,
  type SilentTrigger,
  type Triggers,
} from './triggers.ts';
import type { Turn } from './turn.ts';

/** `touched` of `updateTriggers` when no event did: what is due alone. */
export const NO_TRIGGER = 0;
const EVERY_TRIGGER = -1;

const facts = new TriggerFacts();

/**
 * Publishes what fires and what has become moot, and finds when silence will next let one fire. Looks at what is about the
 * measures of `touched` and at what is due by now.
 */
export function updateTriggers(turn: Turn, touched: number): void {
  const { open, plan, now } = turn;
  const rules = plan.triggers;
  const triggers = open.parts.get(TRIGGERS_PART);
  facts.of(open, triggers);
  for (let place = 0; place < triggers.silent.length; place++) {
    const trigger = triggers.silent[place];
    if (trigger === undefined) continue;
    const rule = rules?.silent[place] ?? null;
    if (rule === null) rest(trigger);
    else if ((rule.measures & touched) !== 0 || trigger.dueAt <= now) updateSilent(turn, rule, trigger);
  }
  if (rules === null || rules.afterOrderMs === null) triggers.orderDueAt = NEVER;
  else if ((ORDERED & touched) !== 0 || triggers.orderDueAt <= now) {
    updateOrders(turn, triggers, rules.afterOrderMs, rules.lateMs);
  }
  if (rules !== null) {
    for (const rule of rules.milestones) {
      if (((1 << rule.measure) & touched) !== 0) updateMilestone(turn, rule, triggers);
    }
  }
  open.parts.put(TRIGGERS_PART, triggers);
}

/** The same of everything: at the first event, under other definitions, and of two customers who are one. */
export function updateEveryTrigger(turn: Turn): void {
  if (turn.plan.triggers !== null || turn.open.parts.has(TRIGGERS_PART)) updateTriggers(turn, EVERY_TRIGGER);
}

/** The customer is erased: whoever was told something, and may have planned to say it, is told that nothing stands any more. */
export function leaveTriggers(turn: Turn): void {
  const { open, plan } = turn;
  const rules = plan.triggers;
  if (rules === null || !open.parts.has(TRIGGERS_PART)) return;
  const triggers = open.parts.get(TRIGGERS_PART);
  for (let place = 0; place < triggers.silent.length; place++) {
    const rule = rules.silent[place] ?? null;
    const { stands, toldAt } = triggers.silent[place] ?? { stands: false, toldAt: -1 };
    if (rule !== null && stands) publish(turn, rule.trigger, 'CANCELLED', toldAt, null);
  }
  if (rules.afterOrderMs !== null) {
    for (const at of triggers.toldOrders) publish(turn, 'post_purchase', 'CANCELLED', at, null);
  }
  for (const { measure, values } of rules.milestones) cancelMilestones(turn, measure, values, triggers, 0);
}

/** What is followed no more is neither fired nor cancelled; what was told of it stays told. */
function rest(trigger: SilentTrigger): void {
  trigger.stands = false;
  trigger.dueAt = NEVER;
}

function updateSilent(turn: Turn, rule: SilentRule, trigger: SilentTrigger): void {
  if (trigger.stands && rule.isMoot(trigger.toldAt, facts)) {
    trigger.stands = false;
    publish(turn, rule.trigger, 'CANCELLED', trigger.toldAt, null);
  }
  trigger.dueAt = NEVER;
  const causeAt = rule.causeAt(facts);
  if (causeAt <= trigger.toldAt || rule.isMoot(causeAt, facts)) return;
  const dueAt = rule.dueAt(causeAt, facts);
  if (dueAt > turn.now) {
    trigger.dueAt = dueAt;
  } else if (turn.now - dueAt <= lateMsOf(turn)) {
    trigger.toldAt = causeAt;
    trigger.stands = true;
    publish(turn, rule.trigger, 'FIRED', causeAt, dueAt);
  }
}

/** Every order is a cause of its own: the same time after each, so the oldest one that is not told yet is the next. */
function updateOrders(turn: Turn, triggers: Triggers, afterMs: number, lateMs: number): void {
  const { open, now } = turn;
  const { orders } = open.book;
  for (const at of triggers.toldOrders.filter((told) => isWithdrawn(orders, told))) {
    forgetTold(triggers, at);
    publish(turn, 'post_purchase', 'CANCELLED', at, null);
  }
  triggers.orderDueAt = NEVER;
  for (const { at, cancelled } of orders) {
    const dueAt = at + afterMs;
    if (cancelled || now - dueAt > lateMs) continue;
    if (triggers.toldOrders.includes(at)) continue;
    if (dueAt > now) {
      triggers.orderDueAt = dueAt;
      return;
    }
    noteTold(triggers, at);
    publish(turn, 'post_purchase', 'FIRED', at, dueAt);
  }
}

/** Whether every order of that time that is remembered was cancelled; one that is remembered no more stands. */
function isWithdrawn(orders: readonly RememberedOrder[], at: Instant): boolean {
  let isThere = false;
  for (const order of orders) {
    if (order.at !== at) continue;
    if (!order.cancelled) return false;
    isThere = true;
  }
  return isThere;
}

/** Tells every number that the sum since ever rose to, and every one that it fell below again. */
function updateMilestone(turn: Turn, { measure, values }: MilestoneRule, triggers: Triggers): void {
  const { open, cause } = turn;
  const tally = open.tally(measure);
  const sum = tally.present ? tally.lifetime : 0;
  const told = milestoneOf(triggers, measure);
  // Numbers that were reached before they were asked for are not told.
  const before = cause === 'DEFINITION' ? reached(values, sum - postedOf(turn, measure)) : told;
  for (const value of values) {
    if (value > before && value <= sum) publish(turn, 'milestone', 'FIRED', null, null, measure, value);
  }
  cancelMilestones(turn, measure, values, triggers, sum);
  setMilestone(triggers, measure, reached(values, sum));
}

/** Of the numbers that were told those above `sum`, the highest first. */
function cancelMilestones(
  turn: Turn,
  measure: number,
  values: readonly number[],
  triggers: Triggers,
  sum: number,
): void {
  const told = milestoneOf(triggers, measure);
  for (let place = values.length - 1; place >= 0; place--) {
    const value = values[place] ?? 0;
    if (value <= told && value > sum) publish(turn, 'milestone', 'CANCELLED', null, null, measure, value);
  }
}

/** The highest of the numbers up to `sum`; 0: none. */
function reached(values: readonly number[], sum: number): number {
  let highest = 0;
  for (const value of values) if (value <= sum) highest = value;
  return highest;
}

function postedOf({ open: { postings } }: Turn, measure: number): number {
  let sum = 0;
  for (let index = 0; index < postings.count; index++) {
    if (postings.measure(index) === measure) sum += postings.amount(index);
  }
  return sum;
}

function lateMsOf({ plan }: Turn): number {
  return plan.triggers?.lateMs ?? 0;
}

function publish(
  turn: Turn,
  trigger: TriggerName,
  change: Exclude<TriggerChange, 'UNKNOWN'>,
  causeAt: Instant | null,
  dueAt: Instant | null,
  measure: number | null = null,
  value: number | null = null,
): void {
  const { state, open, plan, now, cause, outputs } = turn;
  const changed: TriggerChanged = {
    brandId: state.brandId,
    customerId: state.subject,
    occurredAt: now,
    cause,
    trigger,
    change,
    causeAt,
    dueAt,
    measure: measure === null ? null : (MEASURES[measure] ?? null),
    value,
    gapDays: trigger === 'replenishment_due' && change === 'FIRED' ? meanGapMs(open.facts) / DAY_MS : null,
    definitionsVersion: plan.rules.hash,
  };
  outputs.push({ topic: 'triggers.v1', key: state.key, value: changed, timestamp: now });
  turn.contributions.push({ brandId: state.brandId, of: 'trigger', trigger, change });
}
