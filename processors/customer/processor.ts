import type { Definitions } from '../core/definitions.ts';
import type { Instant, PackedValue, StatefulProcessor } from '../core/processor.ts';
import { compileDefinitions } from './brand-rules.ts';
import { foldEvent } from './fold-event.ts';
import { historyUntil, type CustomerHistory } from './history-view.ts';
import { foldIdentity, IDENTITY_ROUNDS } from './identity-steps.ts';
import { hasIdentity, IDENTITY, isBlankSinceErasure } from './identity.ts';
import { inspect, type Inspection } from './inspect.ts';
import { membersAt } from './members-at.ts';
import { OpenState } from './open-state.ts';
import { planner, revisionOf } from './plan.ts';
import { profileViewOf, type ProfileView } from './profile-view.ts';
import { readFieldsWith, type FoldedEvent } from './read-fields.ts';
import { settleDeadline, settleEnd } from './settle.ts';
import { customerPacking, initialState, type CustomerState } from './state.ts';
import { customerTotals, type CustomerAddition, type CustomerTotals } from './totals.ts';
import { packTraits } from './traits-packing.ts';
import { traitsOf } from './traits.ts';

export interface CustomerProcessor extends StatefulProcessor<
  CustomerState,
  FoldedEvent,
  CustomerTotals,
  CustomerAddition
> {
  /** The record of `customer-traits.v1` at `now`, provided that every deadline up to then was applied. */
  traits(state: CustomerState, now: Instant): PackedValue;
  /** The same as a segment rule sees it. */
  profileView(state: CustomerState, now: Instant): ProfileView;
  /** That with every deadline up to `now` applied, why the customer is in each segment or not, and until when. */
  inspect(state: CustomerState, now: Instant): Inspection;
  /** The segments it is in with every deadline up to `now` applied; null: nothing ever evaluated it, or it is part of another. */
  membersAt(state: CustomerState, now: Instant): readonly string[] | null;
  /** Whether it was last evaluated under these definitions. */
  isCurrent(state: CustomerState): boolean;
  /** What was published of the customer's memberships and churn risk, and what silence publishes up to `until`. */
  history(state: CustomerState, until: Instant): CustomerHistory;
  /** Whether it was erased and nothing came since. */
  isErased(state: CustomerState): boolean;
  /** What other identifiers of the same person the document knows. */
  links(state: CustomerState): Links;
}

export interface Links {
  /** Everything of this customer is in the document of this stronger subject; null: it is a customer of its own. */
  readonly redirect: string | null;
  /** Weaker subjects whose part can be taken out again. */
  readonly held: readonly { readonly subject: string; readonly via: string | null }[];
  /** Stronger subjects that it was parted from for good. */
  readonly unlinked: readonly string[];
  /** Until when everything was erased; null: nothing was. */
  readonly erasedAt: Instant | null;
}

const NO_LINKS: Links = { redirect: null, held: [], unlinked: [], erasedAt: null };

/**
 * One document for each customer of each brand: rolling windows, churn risk, segments and traits, by event and by silence.
 *
 * @throws ConfigurationError with every fault of the definitions
 */
export function createCustomer(definitions: Definitions): CustomerProcessor {
  const rulesOf = compileDefinitions(definitions);
  const planFor = planner(rulesOf);
  // Room to work in, empty between two calls.
  const open = new OpenState();
  const room = { open, mine: new OpenState(), theirs: new OpenState() };
  return {
    kind: 'stateful',
    name: 'customer',
    version: 1,
    inputs: ['customer-events.v1'],
    outputs: [
      'segment-memberships.v1',
      'churn-risk.v1',
      'customer-traits.v1',
      'journey-stages.v1',
      'triggers.v1',
      'brand-partials.v1',
      'experiment-events.v1',
      'identity-merges.v1',
      'customer-events.v1',
    ],
    ownRounds: IDENTITY_ROUNDS,
    state: customerPacking,
    totals: customerTotals,
    reads: readFieldsWith(rulesOf.asks),
    occurredAt: ({ interaction }) => interaction?.occurredAt,
    initial: initialState,
    clock: (state) => state.at,
    advance(state, now) {
      if (now > state.at) state.at = now;
    },
    nextDue: (state) => state.due,
    onRecord(state, event, now) {
      const plan = planFor(state.brandId);
      if (event.kind === 'INTERACTION' && !hasIdentity(state.parts)) {
        return foldEvent(state, event.interaction, now, open, plan);
      }
      return foldIdentity({ ...room, state, plan, now }, event);
    },
    onDue(state, due) {
      open.open(state);
      return settleDeadline({ state, open, plan: planFor(state.brandId), now: due });
    },
    revisions: {
      current: revisionOf(definitions.hash),
      of: (state) => state.rules,
      revise(state, now) {
        open.open(state);
        return settleDeadline({ state, open, plan: planFor(state.brandId), now });
      },
    },
    atEnd(state, now) {
      open.open(state);
      return settleEnd({ state, open, plan: planFor(state.brandId), now });
    },
    traits(state, now) {
      const { rules } = planFor(state.brandId);
      open.open(state);
      return packTraits(state, open, rules, now);
    },
    profileView(state, now) {
      const { rules } = planFor(state.brandId);
      open.open(state);
      return profileViewOf(traitsOf(state, open, rules, now), rules.measures);
    },
    links(state) {
      if (!hasIdentity(state.parts)) return NO_LINKS;
      open.open(state);
      const { redirect, held, unlinked, erasedAt } = open.parts.get(IDENTITY);
      const parts = held.map(({ subject, via }) => ({ subject, via }));
      return { redirect, unlinked, held: parts, erasedAt: erasedAt < 0 ? null : erasedAt };
    },
    isErased(state) {
      if (state.body.length > 0 || !hasIdentity(state.parts)) return false;
      open.open(state);
      return isBlankSinceErasure(open.parts.get(IDENTITY));
    },
    inspect: (state, now) => inspect(state, open, planFor(state.brandId), now),
    membersAt: (state, now) => membersAt(state, open, planFor(state.brandId), now),
    isCurrent: (state) => state.rules === planFor(state.brandId).version,
    history: (state, until) => historyUntil(state, open, planFor(state.brandId), until),
  };
}
