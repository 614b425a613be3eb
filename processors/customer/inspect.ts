import { NEVER, type Instant } from '../core/processor.ts';
import { valueOf } from './feature-values.ts';
import type { FeatureValue } from './features.ts';
import { Foresight } from './foresight.ts';
import type { OpenState } from './open-state.ts';
import type { Plan } from './plan.ts';
import { profileViewOf, type ProfileView } from './profile-view.ts';
import type { Leaf } from './rule-evidence.ts';
import type { CustomerState } from './state.ts';
import { traitsOf } from './traits.ts';
import { triggersOf, type TriggerView } from './trigger-view.ts';

/** One comparison of a segment's rule. */
export interface InspectedLeaf extends Leaf {
  /** When silence alone turns it round; null: never. */
  readonly nextFlipAt: Instant | null;
}

/** Why a customer is in a segment or not, and until when if nothing happens. */
export interface InspectedSegment {
  readonly segmentId: string;
  readonly isMember: boolean;
  /** When silence alone lets the customer enter or leave; null: never. */
  readonly nextFlipAt: Instant | null;
  readonly leaves: readonly InspectedLeaf[];
}

export interface Inspection {
  /** The customer's clock: of the last event or deadline that the state given held. */
  readonly asOf: Instant;
  /** The customer was last evaluated under other definitions: memberships are those that the next event will publish. */
  readonly isRedefined: boolean;
  readonly profile: ProfileView;
  /** What will be fired if nothing happens, and what was fired and stands. */
  readonly triggers: TriggerView;
  /** In order of id. */
  readonly segments: readonly InspectedSegment[];
}

/**
 * Looks at a customer as of `now`, which may not be before its clock, and on into silence, by the very deadlines that the
 * processor applies. The state stays as it was. The time it takes grows with the deadlines ahead: for people, not for events.
 */
export function inspect(state: CustomerState, open: OpenState, plan: Plan, now: Instant): Inspection {
  const foresight = new Foresight(state, open, plan);
  const { state: copy } = foresight;
  while (foresight.step(now));
  // Deadlines under other definitions are deadlines of other rules.
  if (copy.rules !== plan.version) foresight.settle(now);

  open.open(copy);
  const { rules } = plan;
  const profile = profileViewOf(traitsOf(copy, open, rules, now), rules.measures);
  const triggers = triggersOf(open, plan);
  const segments = segmentsAt(copy, open, plan, now).map((segment) => new Watched(segment));
  // Everything that can flip does so at a deadline: each leaf is watched, since some segment reads it.
  while (segments.some((segment) => !segment.isSettled) && foresight.step(NEVER)) {
    open.open(copy);
    const later = segmentsAt(copy, open, plan, copy.at);
    segments.forEach((segment, index) => segment.compare(later[index], copy.at));
  }
  const isRedefined = state.rules !== plan.version;
  return { asOf: state.at, isRedefined, profile, triggers, segments: segments.map((segment) => segment.inspected) };
}

interface SegmentAt {
  readonly segmentId: string;
  readonly isMember: boolean;
  readonly leaves: readonly Leaf[];
}

/** Every segment of the brand at `now`, in order of id. */
function segmentsAt({ segments, subject }: CustomerState, open: OpenState, plan: Plan, now: Instant): SegmentAt[] {
  const { rules, placeOfSegment, byId } = plan;
  const values = rules.features.map((feature): FeatureValue => valueOf(feature, open, subject, rules.churn, now));
  const members = new Uint8Array(rules.segments.length);
  for (const id of segments.ids) {
    const place = placeOfSegment.get(id);
    if (place !== undefined) members[place] = 1;
  }
  return byId.flatMap((place) => {
    const segment = rules.segments[place];
    if (segment === undefined) return [];
    return [{ segmentId: segment.id, isMember: members[place] === 1, leaves: segment.leaves(values, members) }];
  });
}

/** A segment as it is now, and the first instants at which it and its leaves are otherwise. */
class Watched {
  readonly #now: SegmentAt;
  #flipAt: Instant | null = null;
  readonly #leafFlipsAt: (Instant | null)[];

  constructor(now: SegmentAt) {
    this.#now = now;
    this.#leafFlipsAt = now.leaves.map(() => null);
  }

  get isSettled(): boolean {
    return this.#flipAt !== null && this.#leafFlipsAt.every((at) => at !== null);
  }

  get inspected(): InspectedSegment {
    const { segmentId, isMember, leaves } = this.#now;
    return {
      segmentId,
      isMember,
      nextFlipAt: this.#flipAt,
      leaves: leaves.map((leaf, index) => ({ ...leaf, nextFlipAt: this.#leafFlipsAt[index] ?? null })),
    };
  }

  compare(later: SegmentAt | undefined, at: Instant): void {
    if (later?.isMember !== this.#now.isMember) this.#flipAt ??= at;
    this.#now.leaves.forEach(({ holds }, index) => {
      if (later?.leaves[index]?.holds !== holds) this.#leafFlipsAt[index] ??= at;
    });
  }
}
