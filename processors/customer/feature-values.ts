import type { Instant } from '../core/processor.ts';
import { affinityValue } from './affinity-view.ts';
import type { ChurnModel } from './churn-model.ts';
import { churnBand, churnProbability } from './churn-risk.ts';
import { RATIOS, type Feature, type FeatureValue } from './features.ts';
import { journeyOf } from './journey.ts';
import { measuredLastAt, measuredValue } from './measured.ts';
import { membershipOf } from './loyalty.ts';
import { placeOf } from './measures.ts';
import type { OpenState } from './open-state.ts';
import { scoreValue } from './scores.ts';
import { windowSum } from './tally.ts';
import { sequenceHolds } from './sequence-part.ts';
import { ratioValue } from './user-ratios.ts';
import { ageDays } from './watching.ts';
import { SPANS } from './windows.ts';

/** What a path of the profile view is worth at `now`. `segments` is followed elsewhere and stands empty here. */
export function valueOf(
  feature: Feature,
  open: OpenState,
  subject: string,
  model: ChurnModel | null,
  now: Instant,
): FeatureValue {
  switch (feature.kind) {
    case 'trait':
      return windowSum(open.tally(placeOf(feature.measure)), SPANS[feature.window], now);
    case 'ratio': {
      const { numerator, denominator } = RATIOS[feature.ratio];
      const span = SPANS[feature.window];
      const below = windowSum(open.tally(placeOf(denominator)), span, now);
      return below === 0 ? undefined : windowSum(open.tally(placeOf(numerator)), span, now) / below;
    }
    case 'age':
      return ageDays(open.lastAt(placeOf(feature.measure)), now);
    case 'measured':
      return measuredValue(open, feature.measure, SPANS[feature.window], now);
    case 'measured_age':
      return ageDays(measuredLastAt(open, feature.measure), now);
    case 'own_ratio':
      return ratioValue(open, feature.ratio, SPANS[feature.window], now);
    case 'sequence':
      return sequenceHolds(open, feature.sequence, now);
    case 'churn_probability':
      return churnAt(open, model, now);
    case 'churn_band': {
      const probability = churnAt(open, model, now);
      return probability === undefined ? undefined : churnBand(probability);
    }
    case 'stage':
      return journeyOf(open.parts)?.stage ?? undefined;
    case 'lifecycle':
      return journeyOf(open.parts)?.lifecycle ?? undefined;
    case 'loyalty_tier':
      return membershipOf(open)?.tier ?? undefined;
    case 'loyalty_points':
      return membershipOf(open)?.points;
    case 'affinity':
      return affinityValue(open, feature.dimension);
    case 'score':
      return scoreValue(open, feature.score);
    case 'attribute':
      return open.attributes.get(feature.name)?.value;
    case 'segments':
      return NO_IDS;
    case 'identified':
      return isIdentified(subject);
  }
}

const NO_IDS: readonly string[] = [];

/** A subject that the brand itself named. */
export function isIdentified(subject: string): boolean {
  return subject.startsWith('u:');
}

/** The churn probability; undefined without a model or an order. */
export function churnAt(open: OpenState, model: ChurnModel | null, now: Instant): number | undefined {
  const { days, firstAt, lastAt } = open.facts;
  if (model === null || days === 0) return undefined;
  return churnProbability(model, { x: days - 1, firstOrderAt: firstAt, lastOrderAt: lastAt }, now);
}
