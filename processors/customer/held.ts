import type { Instant, Outcome } from '../core/processor.ts';
import { foldEvent } from './fold-event.ts';
import { HELD_MAX, IDENTITY, NO_BODY, type Held } from './identity.ts';
import { mergeCustomers } from './merge.ts';
import type { OpenState, Packed } from './open-state.ts';
import { NO_PARTS } from './parts.ts';
import type { Plan } from './plan.ts';
import type { FoldedInteraction } from './read-fields.ts';
import { settleTriggers } from './leaving.ts';
import { settleDeadline } from './settle.ts';
import { initialState, type CustomerState } from './state.ts';

/**
 * What is kept apart of a customer who is linked: beside the document itself, in which everything counts, the same once more
 * by the subject it came under. Each is a state folded by the very rules of a customer, under a plan that publishes nothing, so
 * that taking it out again leaves exactly what would have been without it. A customer without any pays nothing.
 */

/** Room to work in, empty between two calls. */
export interface HeldRoom {
  readonly mine: OpenState;
  readonly theirs: OpenState;
}

/** The customer at hand as it is, without its links. */
export function withoutLinks(state: CustomerState, open: OpenState): Packed {
  return { body: state.body, parts: open.parts.close(IDENTITY.id) };
}

/** Where an interaction under `subject` counts, which came through `via`; nothing of it known yet: a new one while there is room. */
export function heldFor(held: Held[], own: Packed, subject: string, via: string | null): Packed {
  const known = held.find((each) => each.subject === subject);
  if (known !== undefined) return known;
  if (held.length >= HELD_MAX) return held.find((each) => each.subject === via) ?? own;
  const first: Held = { subject, via, body: NO_BODY, parts: NO_PARTS };
  held.push(first);
  return first;
}

/** Folds an interaction into what is held; `now` and everything before it is behind the customer's clock. */
export function foldHeld(
  held: Packed,
  state: CustomerState,
  interaction: FoldedInteraction,
  now: Instant,
  plan: Plan,
  { mine }: HeldRoom,
): Outcome<unknown> {
  const quiet = plan.quiet();
  const alone = stateOf(held, state, quiet, now, mine);
  const outcome = foldEvent(alone, interaction, now, mine, quiet);
  keep(held, alone);
  return outcome;
}

/** Applies what silence changed in it up to `now`. */
export function catchUp(held: Packed, state: CustomerState, now: Instant, plan: Plan, { mine }: HeldRoom): void {
  const quiet = plan.quiet();
  const alone = stateOf(held, state, quiet, now, mine);
  // Nobody looks at it when definitions change.
  settleTriggers({ state: alone, open: mine, plan: quiet, now });
  mine.keepIn(alone);
  keep(held, alone);
}

type Merger = HeldRoom & { readonly plan: Plan; readonly now: Instant };

/** Takes `from` into `held`. */
export function mergeHeld(held: Packed, from: Packed, { plan, now, mine, theirs }: Merger): void {
  mine.open(held);
  theirs.open(from);
  mergeCustomers(mine, theirs, plan.quiet(), now);
  mine.keepIn(held);
}

/** What is held as a state that has seen every deadline up to `now`. */
function stateOf(held: Packed, { key, at }: CustomerState, quiet: Plan, now: Instant, open: OpenState): CustomerState {
  const alone: CustomerState = { ...initialState(key), at, rules: quiet.version, body: held.body, parts: held.parts };
  for (;;) {
    open.open(alone);
    // Nothing else has a deadline under a plan that publishes nothing.
    alone.due = open.tallies.reduce((due, tally) => Math.min(due, tally.due), open.parts.due);
    if (alone.due > now) return alone;
    settleDeadline({ state: alone, open, plan: quiet, now: alone.due });
  }
}

function keep(held: Packed, { body, parts }: CustomerState): void {
  held.body = body;
  held.parts = parts;
}
