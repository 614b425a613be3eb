import { NEVER, type Instant } from '../core/processor.ts';
import { mergeAllAttributes } from './attributes.ts';
import { BRAND_PART, postToSums } from './brand-part.ts';
import { mergeOrderBooks } from './merge-orders.ts';
import type { OpenState } from './open-state.ts';
import { mergeOf } from './part-list.ts';
import type { Plan } from './plan.ts';
import { mergeTally } from './merge-tally.ts';

/**
 * Takes everything that is known under another identifier of the same person into the customer at hand, at `now`, which is
 * after everything in either. Sums are added, times are the later ones, and what has an id counts once: sufficient
 * statistics, so the order of merges and events does not matter. What both already counted of one event told under two
 * identifiers stays counted twice: an event id is remembered without what it counted for.
 */
export function mergeCustomers(open: OpenState, from: OpenState, plan: Plan, now: Instant): void {
  for (let measure = 0; measure < open.tallies.length; measure++) {
    forgetDeadline(open, measure);
    if (from.tallies[measure]?.present === true) mergeTally(open.tally(measure), from.tally(measure), now);
  }
  open.ids.merge(from.ids);
  const { postings } = open;
  postings.clear();
  open.parts.merge(from.parts, mergeOf, { plan, now, postings });
  open.post(now);
  postings.clear();
  if (from.hasOrders) mergeOrders(open, from, now);
  if (from.hasAttributes) mergeAllAttributes(open.attributes, from.attributes);
}

/** One of before may lie before what is merged in. Whoever publishes anything finds it anew. */
function forgetDeadline(open: OpenState, measure: number): void {
  const known = open.tallies[measure];
  if (known === undefined || !known.present || known.due === NEVER) return;
  const tally = open.tally(measure);
  tally.due = NEVER;
  tally.changed = true;
}

function mergeOrders(open: OpenState, from: OpenState, now: Instant): void {
  const { book, postings, extras } = open;
  postings.clear();
  extras.clear();
  mergeOrderBooks(book, from.book, open, () => {
    open.post(now);
    if (extras.count > 0) {
      const part = open.parts.get(BRAND_PART);
      postToSums(part, extras, now);
      open.parts.put(BRAND_PART, part);
    }
    postings.clear();
    extras.clear();
  });
  open.keepBook(book);
}
