import { MINUTE_MS } from '../core/event-time.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import type {
  ChurnTraits,
  CustomerTraits,
  JourneyTraits,
  LoyaltyTraits,
  MeasureTraits,
  RatioTraits,
  VisitTraits,
} from '../../schemas/types.ts';
import { affinityTraits } from './affinity-view.ts';
import { attributeTexts } from './attributes.ts';
import type { BrandRules } from './brand-rules.ts';
import type { ChurnModel } from './churn-model.ts';
import { churnBand } from './churn-risk.ts';
import { churnAt, isIdentified } from './feature-values.ts';
import { MEASURES } from './features.ts';
import { journeyOf } from './journey.ts';
import { membershipOf } from './loyalty.ts';
import type { OpenState } from './open-state.ts';
import { scoreTraits } from './scores.ts';
import { ownRatioTraits } from './ratio-traits.ts';
import type { CustomerState } from './state.ts';
import { isNumber, numberTraits, ownMeasures, valueTraits } from './measured-traits.ts';
import { RATIO_PLACES, TraitSums, type RatioPlaces } from './trait-sums.ts';
import { packTraits } from './traits-packing.ts';
import type { Turn } from './turn.ts';
import { VISITS } from './visits.ts';
import { ageDays } from './watching.ts';

/** Traits of one customer are published at most so often, in record time. */
export const TRAITS_INTERVAL_MS = MINUTE_MS;

const sums = new TraitSums();

/** Publishes the traits, or notes that they are to be published when a minute has passed since the last time. */
export function publishTraits(turn: Turn): void {
  const { state, plan, now } = turn;
  if (plan.isQuiet) return;
  if (state.traitsAt >= 0 && now - state.traitsAt < TRAITS_INTERVAL_MS) state.mustPublishTraits = true;
  else publishTraitsNow(turn);
}

export function publishTraitsNow({ state, open, plan, now, outputs }: Turn): void {
  state.mustPublishTraits = false;
  state.traitsAt = now;
  const value = packTraits(state, open, plan.rules, now);
  outputs.push({ topic: 'customer-traits.v1', key: state.key, value, timestamp: now });
}

/** Ends what was published: the customer is another one from now on. */
export function endTraits({ state, now, outputs }: Turn): void {
  outputs.push({ topic: 'customer-traits.v1', key: state.key, value: null, timestamp: now });
}

/** When traits that were held back are due. */
export function traitsDue(state: CustomerState): Instant {
  return state.mustPublishTraits ? state.traitsAt + TRAITS_INTERVAL_MS : NEVER;
}

/** The whole profile view at `now`, as `packTraits` packs it. */
export function traitsOf(state: CustomerState, open: OpenState, rules: BrandRules, now: Instant): CustomerTraits {
  sums.fill(open, now);
  const own = ownMeasures(open, rules);
  return {
    brandId: state.brandId,
    customerId: state.subject,
    occurredAt: now,
    identified: isIdentified(state.subject),
    traits: [
      ...Array.from({ length: sums.count }, (_, index) => measureTraits(sums.place(index), open, now)),
      ...own.filter(isNumber).map((measure) => numberTraits(measure, open, now)),
    ],
    ratios: [
      ...RATIO_PLACES.filter((ratio) => sums.isKnown(ratio)).map(ratioTraits),
      ...ownRatioTraits(open, rules, now),
    ],
    churn: churnTraits(open, rules.churn, now),
    attributes: attributeTexts(open.attributes),
    segments: [...state.segments.ids],
    definitionsVersion: rules.hash,
    visits: visitTraits(open),
    journey: journeyTraits(open),
    values: own.filter((measure) => !isNumber(measure)).map((measure) => valueTraits(measure, open, now)),
    loyalty: loyaltyTraits(open),
    affinities: affinityTraits(open),
    scores: scoreTraits(open),
  };
}

function loyaltyTraits(open: OpenState): LoyaltyTraits | null {
  const membership = membershipOf(open);
  if (membership === null) return null;
  const { enrolledAt, tier, tierSince, points } = membership;
  return { enrolledAt, tier, tierSince: tier === null ? null : tierSince, points };
}

function journeyTraits(open: OpenState): JourneyTraits | null {
  const journey = journeyOf(open.parts);
  if (journey === null) return null;
  const { stage, stageSince, lifecycle, lifecycleSince } = journey;
  return {
    stage,
    stageSince: stage === null ? null : stageSince,
    lifecycle,
    lifecycleSince: lifecycle === null ? null : lifecycleSince,
  };
}

function visitTraits({ parts }: OpenState): VisitTraits | null {
  if (!parts.has(VISITS)) return null;
  const { engagedSessions, measuredViews, visibleMs, longViews, unmeasuredViews } = parts.get(VISITS);
  return { engagedSessions, measuredViews, visibleMs, longViews, unmeasuredViews };
}

function measureTraits(place: number, open: OpenState, now: Instant): MeasureTraits {
  return {
    measure: MEASURES[place] ?? '',
    last1h: sums.of(place, 0),
    last24h: sums.of(place, 1),
    last7d: sums.of(place, 2),
    last30d: sums.of(place, 3),
    last90d: sums.of(place, 4),
    last365d: sums.of(place, 5),
    lifetime: sums.of(place, 6),
    ageDays: ageDays(open.lastAt(place), now) ?? null,
  };
}

function ratioTraits(ratio: RatioPlaces): RatioTraits {
  return {
    ratio: ratio.name,
    last1h: sums.quotient(ratio, 0),
    last24h: sums.quotient(ratio, 1),
    last7d: sums.quotient(ratio, 2),
    last30d: sums.quotient(ratio, 3),
    last90d: sums.quotient(ratio, 4),
    last365d: sums.quotient(ratio, 5),
    lifetime: sums.quotient(ratio, 6),
  };
}

function churnTraits(open: OpenState, model: ChurnModel | null, now: Instant): ChurnTraits | null {
  const probability = churnAt(open, model, now);
  return probability === undefined ? null : { probability, band: churnBand(probability) };
}
