import { MINUTE_MS } from '../core/event-time.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import type { ChurnTraits, CustomerTraits, MeasureTraits, RatioTraits } from '../../schemas/types.ts';
import type { ChurnModel } from './churn-model.ts';
import { churnBand } from './churn-risk.ts';
import { churnAt, isIdentified } from './feature-values.ts';
import { MEASURES, RATIOS, WINDOWS, type Ratio } from './features.ts';
import { placeOf } from './measures.ts';
import type { OpenState } from './open-state.ts';
import type { CustomerState } from './state.ts';
import { windowSums } from './tally.ts';
import type { Turn } from './turn.ts';
import { ageDays } from './watching.ts';

/** Traits of one customer are published at most so often, in record time. */
export const TRAITS_INTERVAL_MS = MINUTE_MS;

const LIFETIME = WINDOWS.length - 1;
const RATIO_NAMES = Object.keys(RATIOS) as Ratio[];
/** Sums by measure and window: place · number of windows + place of the window. Reused. */
const sums = new Float64Array(MEASURES.length * WINDOWS.length);

/** Publishes the traits, or notes that they are to be published when a minute has passed since the last time. */
export function publishTraits(turn: Turn): void {
  const { state, now } = turn;
  if (state.traitsAt >= 0 && now - state.traitsAt < TRAITS_INTERVAL_MS) state.mustPublishTraits = true;
  else publishTraitsNow(turn);
}

export function publishTraitsNow({ state, open, plan, now, outputs }: Turn): void {
  state.mustPublishTraits = false;
  state.traitsAt = now;
  const value = traitsOf(state, open, plan.rules.churn, plan.rules.hash, now);
  outputs.push({ topic: 'customer-traits.v1', key: state.key, value, timestamp: now });
}

/** When traits that were held back are due. */
export function traitsDue(state: CustomerState): Instant {
  return state.mustPublishTraits ? state.traitsAt + TRAITS_INTERVAL_MS : NEVER;
}

/** The whole profile view at `now`, as it is published. */
export function traitsOf(
  state: CustomerState,
  open: OpenState,
  model: ChurnModel | null,
  definitionsVersion: string,
  now: Instant,
): CustomerTraits {
  return {
    brandId: state.brandId,
    customerId: state.subject,
    occurredAt: now,
    identified: isIdentified(state.subject),
    traits: measureTraits(open, now),
    ratios: ratioTraits(),
    churn: churnTraits(open, model, now),
    attributes: attributeTexts(open),
    segments: [...state.segments.ids],
    definitionsVersion,
  };
}

function attributeTexts({ attributes }: OpenState): Record<string, string> {
  if (attributes.size === 0) return {};
  // Not by assignment: an attribute may be called __proto__.
  return Object.fromEntries([...attributes].map(([name, { value }]) => [name, value]));
}

function measureTraits(open: OpenState, now: Instant): MeasureTraits[] {
  const traits: MeasureTraits[] = [];
  for (let place = 0; place < MEASURES.length; place++) {
    const at = place * WINDOWS.length;
    const tally = open.tally(place);
    windowSums(tally, now, sums, at);
    const measure = MEASURES[place];
    if (!tally.present || measure === undefined) continue;
    const lastAt = open.lastAt(place);
    if (lastAt < 0 && isAllZero(at)) continue;
    traits.push({
      measure,
      last1h: sum(at),
      last24h: sum(at + 1),
      last7d: sum(at + 2),
      last30d: sum(at + 3),
      last90d: sum(at + 4),
      last365d: sum(at + 5),
      lifetime: sum(at + 6),
      ageDays: ageDays(lastAt, now) ?? null,
    });
  }
  return traits;
}

function sum(index: number): number {
  return sums[index] ?? 0;
}

function isAllZero(at: number): boolean {
  for (let index = at; index < at + WINDOWS.length; index++) if (sum(index) !== 0) return false;
  return true;
}

/** Of the sums that `measureTraits` left. */
function ratioTraits(): RatioTraits[] {
  const traits: RatioTraits[] = [];
  for (const ratio of RATIO_NAMES) {
    const { numerator, denominator } = RATIOS[ratio];
    const above = placeOf(numerator) * WINDOWS.length;
    const below = placeOf(denominator) * WINDOWS.length;
    // Nothing ever leaves the whole life, so nothing in it is nothing anywhere.
    if (sum(below + LIFETIME) === 0) continue;
    traits.push({
      ratio,
      last1h: quotient(above, below),
      last24h: quotient(above + 1, below + 1),
      last7d: quotient(above + 2, below + 2),
      last30d: quotient(above + 3, below + 3),
      last90d: quotient(above + 4, below + 4),
      last365d: quotient(above + 5, below + 5),
      lifetime: quotient(above + LIFETIME, below + LIFETIME),
    });
  }
  return traits;
}

function quotient(above: number, below: number): number | null {
  return sum(below) === 0 ? null : sum(above) / sum(below);
}

function churnTraits(open: OpenState, model: ChurnModel | null, now: Instant): ChurnTraits | null {
  const probability = churnAt(open, model, now);
  return probability === undefined ? null : { probability, band: churnBand(probability) };
}
