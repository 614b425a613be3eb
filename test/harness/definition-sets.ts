import type { AffinitySettings } from '../../processors/core/affinity-settings.ts';
import type {
  ChurnModelDefinition,
  Definitions,
  JourneySettings,
  MeasureDefinition,
  RatioDefinition,
  SegmentDefinition,
  TouchpointSettings,
  TriggerSettings,
} from '../../processors/core/definitions.ts';
import { ConfigurationError } from '../../processors/core/errors.ts';
import type { BrandRules } from '../../processors/customer/brand-rules.ts';
import { compileDefinitions } from '../../processors/customer/brand-rules.ts';
import type { FeatureValue } from '../../processors/customer/features.ts';

type Rule = Readonly<Record<string, unknown>>;
type Written = Rule | { readonly brands: readonly string[]; readonly where: Rule };

/** As shipped. */
export const TOUCHPOINTS: TouchpointSettings = {
  id: 'default',
  baselineAnswers: 100,
  subgroupAnswers: 5,
  inControlAnswers: 2500,
  shift: 1,
  smoothing: 0.1,
  dissatisfiedRatio: 2,
  complaintBaselineDays: 28,
  inControlDays: 365,
  relearnAfterDays: 30,
  caseDueHours: 72,
  shown: [],
  file: 'touchpoints/default.json',
};

/** Nothing of a journey is followed, so that what is tested is not among what follows from it. */
export const NO_JOURNEY: JourneySettings = {
  id: 'default',
  stages: null,
  lifecycle: null,
  loyalty: null,
  file: 'journeys/default.json',
};

/** As shipped. */
export const JOURNEY_SETTINGS: JourneySettings = {
  id: 'default',
  stages: {
    considerationViews: 3,
    considerationDays: 30,
    onboardingDays: 30,
    retentionDays: 90,
    advocacyDays: 180,
    minDwellHours: 24,
  },
  lifecycle: { newDays: 14, activeDays: 30, dormantDays: 60, churnedDays: 180, resurrectedDays: 30 },
  loyalty: {
    measure: 'points_earned',
    window: '365d',
    tiers: [
      { id: 'member', atLeast: 0 },
      { id: 'silver', atLeast: 500 },
      { id: 'gold', atLeast: 2000 },
    ],
  },
  file: 'journeys/default.json',
};

/** What a file that says nothing but its brand comes to. */
export const TRIGGER_SETTINGS: TriggerSettings = {
  id: 'acme',
  lateHours: 24,
  cart_abandoned: { afterMinutes: 60 },
  browse_abandoned: { views: 3, afterMinutes: 1_440 },
  onboarding_stalled: { afterDays: 7, goal: 'orders' },
  replenishment_due: { orderDays: 3, factor: 1, minDays: 7 },
  win_back: { afterDays: 90 },
  post_purchase: { afterDays: 14 },
  milestone: { orders: [1, 5, 10, 25, 50, 100] },
  file: 'triggers/acme.json',
};

/** Nothing is followed. */
export const NO_TRIGGERS: TriggerSettings = {
  ...TRIGGER_SETTINGS,
  cart_abandoned: null,
  browse_abandoned: null,
  onboarding_stalled: null,
  replenishment_due: null,
  win_back: null,
  post_purchase: null,
  milestone: null,
};

/** A set of definitions with these segments by id, for every brand unless `brands` says otherwise. */
export function definitionsWith(
  segments: Readonly<Record<string, Written>>,
  churn: readonly ChurnModelDefinition[] = [],
): Definitions {
  const brand = { currency: 'USD', timeZone: 'UTC', lostAfterDays: 90, socialReach: null };
  return {
    brands: new Map([['acme', { ...brand, id: 'acme', currency: 'JPY' }]]),
    defaultBrand: { ...brand, id: 'default' },
    segments: Object.entries(segments).map(([id, written]): SegmentDefinition => {
      const { brands, where } =
        'where' in written ? (written as { brands: string[]; where: Rule }) : { brands: ['*'], where: written };
      return { id, name: id, brands, where, file: `segments/${id}.json` };
    }),
    measures: [],
    ratios: [],
    churn: new Map(churn.map((model) => [model.brandId, model])),
    surveys: new Map(),
    touchpoints: new Map(),
    defaultTouchpoints: TOUCHPOINTS,
    sentiment: new Map(),
    experiments: new Map(),
    journeys: new Map(),
    defaultJourney: NO_JOURNEY,
    triggers: new Map(),
    affinities: new Map(),
    hash: 'hash-of-the-set',
  };
}

/** Settings of affinities, for `acme`, as if its file said no more than this. */
export function affinityOf(settings: Partial<AffinitySettings> = {}): AffinitySettings {
  return {
    id: 'acme',
    dimensions: ['category', 'product', 'channel', 'hour'],
    halfLifeDays: 30,
    minimumWeight: 3,
    weights: { PRODUCT_VIEW: 1, CART_ADD: 3, ORDER_PLACED: 5 },
    file: 'affinities/acme.json',
    ...settings,
  };
}

/** A measure of a brand's own, for every brand. */
export function measureOf(
  id: string,
  of: MeasureDefinition['of'],
  where: Rule,
  value: string | null = null,
  brands: readonly string[] = ['*'],
): MeasureDefinition {
  return { id, name: id, brands, of, value, where, file: `measures/${id}.json` };
}

/** A ratio of a brand's own, for every brand. */
export function ratioOf(
  id: string,
  numerator: string,
  denominator: string,
  brands: readonly string[] = ['*'],
): RatioDefinition {
  return { id, name: id, brands, numerator, denominator, file: `ratios/${id}.json` };
}

/** The faults with which a set is refused, as `where: message`; empty when it is not. */
export function refusalOf(definitions: Definitions): readonly string[] {
  try {
    compileDefinitions(definitions);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults.map(({ where, message }) => `${where}: ${message}`);
    throw error;
  }
}

/** Values by slot from values by path; paths not given are missing. */
export function slotValues(rules: BrandRules, byPath: Readonly<Record<string, FeatureValue>>): FeatureValue[] {
  return rules.features.map((feature) => {
    switch (feature.kind) {
      case 'trait':
        return byPath[`traits.${feature.measure}.${feature.window}`];
      case 'ratio':
        return byPath[`ratios.${feature.ratio}.${feature.window}`];
      case 'own_ratio':
        return byPath[`ratios.${feature.ratio.definition.id}.${feature.window}`];
      case 'age':
        return byPath[`ages.${feature.measure}`];
      case 'measured':
        return byPath[`traits.${feature.measure.definition.id}.${feature.window}`];
      case 'measured_age':
        return byPath[`ages.${feature.measure.definition.id}`];
      case 'sequence':
        return byPath[feature.sequence.description];
      case 'churn_probability':
        return byPath['churn.probability'];
      case 'churn_band':
        return byPath['churn.band'];
      case 'attribute':
        return byPath[`attributes.${feature.name}`];
      case 'affinity':
        return byPath[`affinity.${feature.dimension}`];
      case 'score':
        return byPath[`scores.${feature.score}`];
      case 'loyalty_tier':
        return byPath['loyalty.tier'];
      case 'loyalty_points':
        return byPath['loyalty.points'];
      case 'segments':
      case 'identified':
      case 'stage':
      case 'lifecycle':
        return byPath[feature.kind];
    }
  });
}
