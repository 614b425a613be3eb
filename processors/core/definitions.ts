import type { InteractionType } from '../../schemas/types.ts';
import type { AffinitySettings } from './affinity-settings.ts';

/**
 * The definitions a brand's owner writes as files, already validated and with every default filled in
 * (processors/definitions/load.ts reads them). Versioned as a set by `hash`.
 */
export interface BrandDefinition {
  readonly id: string;
  /** ISO 4217; the only currency that counts as revenue. */
  readonly currency: string;
  /** IANA name. */
  readonly timeZone: string;
  /** A customer without a purchase for so many days counts as lost. */
  readonly lostAfterDays: number;
  /** Accounts the brand's social presence reaches; null when not given. */
  readonly socialReach: number | null;
}

export interface SegmentDefinition {
  readonly id: string;
  readonly name: string;
  /** Brand ids, or `*` for every brand. */
  readonly brands: readonly string[];
  /** A rule in the allow-listed subset of MongoDB query syntax over the profile view. */
  readonly where: Readonly<Record<string, unknown>>;
  /** Where it stands, for messages: `segments/<id>.json`. */
  readonly file: string;
}

/** What is made of the events that pass a measure's filter. */
export const MEASURE_KINDS = ['count', 'sum', 'min', 'max', 'distinct', 'last'] as const;
export type MeasureKind = (typeof MEASURE_KINDS)[number];

/** A measure of the profile view that a brand's owner defines. */
export interface MeasureDefinition {
  readonly id: string;
  readonly name: string;
  /** Brand ids, or `*` for every brand. */
  readonly brands: readonly string[];
  readonly of: MeasureKind;
  /** A field of the event; null for a count. */
  readonly value: string | null;
  /** A filter in the rules' query syntax over the event's own fields. */
  readonly where: Readonly<Record<string, unknown>>;
  readonly file: string;
}

/** A ratio of the profile view that a brand's owner defines. */
export interface RatioDefinition {
  readonly id: string;
  readonly name: string;
  /** Brand ids, or `*` for every brand. */
  readonly brands: readonly string[];
  /** Measures of the product or of the brand's own. */
  readonly numerator: string;
  readonly denominator: string;
  readonly file: string;
}

/** Of the BG/NBD family (customer/churn-model.ts). */
export const CHURN_MODELS = ['mbg-nbd', 'bg-nbd'] as const;
export type ChurnModelName = (typeof CHURN_MODELS)[number];

/** A fitted churn model, parameters in weeks. */
export interface ChurnModelDefinition {
  readonly brandId: string;
  readonly model: ChurnModelName;
  readonly horizonDays: number;
  readonly parameters: { readonly r: number; readonly alpha: number; readonly a: number; readonly b: number };
  /** The reference customer that reasons are told against; `probability` is the model's at that point. */
  readonly baseline: { readonly probability: number; readonly x: number; readonly tx: number; readonly T: number };
  readonly fittedAt: string;
  /** How the model did when it was judged; some of the numbers are metrics. */
  readonly quality: Readonly<Record<string, number | string | null>>;
  /** Content hash of the model, published as `modelVersion`. */
  readonly version: string;
  readonly file: string;
}

/** A question with a scale: what its numbers mean. */
export interface SurveyDefinition {
  /** As in the events' surveyId. */
  readonly id: string;
  /** Brand ids, or `*` for every brand. */
  readonly brands: readonly string[];
  readonly metric: 'NPS' | 'CSAT' | 'CES' | 'RATING';
  readonly min: number;
  readonly max: number;
  /** Which end of the scale is the good one. */
  readonly good: 'high' | 'low';
  /** From here to the good end answers are satisfied. */
  readonly satisfiedFrom: number;
  /** From here to the bad end they are dissatisfied. */
  readonly dissatisfiedFrom: number;
  readonly file: string;
}

/** How touchpoints of a brand are watched, and how long a case may take. */
export interface TouchpointSettings {
  /** The brand, or `default`. */
  readonly id: string;
  /** So many answers make the frozen baseline. */
  readonly baselineAnswers: number;
  /** CUSUM and EWMA chart the mean of so many answers in a row. */
  readonly subgroupAnswers: number;
  /** One chart raises one false alarm in so many answers on average, while nothing changes. */
  readonly inControlAnswers: number;
  /** The shift that the CUSUM finds fastest, in standard deviations of a subgroup's mean. */
  readonly shift: number;
  /** The weight that the EWMA gives to the newest subgroup. */
  readonly smoothing: number;
  /** The Bernoulli CUSUM finds fastest that so many times as many answers are dissatisfied. */
  readonly dissatisfiedRatio: number;
  /** So many days of complaints make the frozen baseline. */
  readonly complaintBaselineDays: number;
  /** The chart of complaints raises at most one false alarm in so many days on average, while nothing changes. */
  readonly inControlDays: number;
  /** An alert that was open for so long is the new normal: it is cleared and a new baseline is learnt. */
  readonly relearnAfterDays: number;
  /** A case that is not resolved within so long is overdue. */
  readonly caseDueHours: number;
  /** The touchpoints that gauges tell apart, all others together; empty: some of them, the same ones everywhere. */
  readonly shown: readonly string[];
  readonly file: string;
}

/** The feelings that a text is told apart by, from the bad one to the good one. */
export const FEELINGS = ['negative', 'neutral', 'positive'] as const;

/** What rated texts of one language taught: how often each character n-gram stood in texts of each feeling. */
export interface SentimentModelDefinition {
  /** Primary subtag of the language, `ja`. */
  readonly language: string;
  /** Texts of each feeling, in the order of FEELINGS. */
  readonly texts: readonly [number, number, number];
  /** How often each n-gram stood in texts of each feeling. */
  readonly grams: ReadonlyMap<string, readonly [number, number, number]>;
  /** 0 to 1: how much of the evidence counts, since n-grams that overlap tell the same thing more than once. */
  readonly sharpness: number;
  /** Content hash of the model, published with each sentiment. */
  readonly version: string;
  readonly file: string;
}

export const EXPERIMENT_METRIC_KINDS = ['conversion', 'count', 'revenue'] as const;

/** What is compared between the variants of an experiment. */
export interface ExperimentMetric {
  readonly id: string;
  /** Whether it happened, how often, or for how many minor units in the brand's currency. */
  readonly kind: (typeof EXPERIMENT_METRIC_KINDS)[number];
  /** Interactions that are counted; none for revenue, which orders make, and none where a filter says it. */
  readonly types: readonly InteractionType[];
  /** A filter of events in the rules' query syntax, as of a measure of the brand's own; null: `types` says it. */
  readonly where: Readonly<Record<string, unknown>> | null;
  /** How long after the first exposure. */
  readonly windowDays: number;
  /** Which way is better. */
  readonly direction: 'up' | 'down';
  /** No goal, but something that must not get worse. */
  readonly guardrail: boolean;
  /** Of a guardrail: so much harm, as a part of the control's mean, would not matter. */
  readonly margin: number;
}

export interface ExperimentVariant {
  /** As in the events' experiment.variant. */
  readonly id: string;
  /** Of the units; all shares are 1 together. */
  readonly share: number;
  /** Exactly one is. */
  readonly control: boolean;
}

export interface ExperimentDefinition {
  /** As in the events' experiment.experimentId. */
  readonly id: string;
  readonly name: string;
  /** Brand ids, or `*` for every brand. */
  readonly brands: readonly string[];
  readonly variants: readonly ExperimentVariant[];
  readonly metrics: readonly ExperimentMetric[];
  /** The probability of any wrong verdict about its goals, and of any about its guardrails. */
  readonly alpha: number;
  /** The number of units at which intervals are narrowest. */
  readonly tuningUnits: number;
  /** Another experiment: whoever is in its control takes no part in this one. */
  readonly holdout: string | null;
  readonly file: string;
}

/** When a customer is in which of the five stages (customer/stages.ts). */
export interface StageSettings {
  /** So many product views, or one cart or checkout, are product intent … */
  readonly considerationViews: number;
  /** … for so long. */
  readonly considerationDays: number;
  readonly onboardingDays: number;
  readonly retentionDays: number;
  readonly advocacyDays: number;
  /** A move backwards waits until the customer has been so long in the stage. */
  readonly minDwellHours: number;
}

/** When a customer is new, active, at risk, dormant, resurrected or churned (customer/lifecycle.ts). */
export interface LifecycleSettings {
  readonly newDays: number;
  readonly activeDays: number;
  readonly dormantDays: number;
  readonly churnedDays: number;
  readonly resurrectedDays: number;
}

/** The tiers of a loyalty programme (customer/loyalty.ts). */
export interface LoyaltySettings {
  /** What is added up, and over which window: names of the profile view. */
  readonly measure: string;
  readonly window: string;
  /** The lowest first. */
  readonly tiers: readonly { readonly id: string; readonly atLeast: number }[];
}

/** The journey of a brand's customers; what is null is not followed. */
export interface JourneySettings {
  /** The brand, or `default`. */
  readonly id: string;
  readonly stages: StageSettings | null;
  readonly lifecycle: LifecycleSettings | null;
  readonly loyalty: LoyaltySettings | null;
  readonly file: string;
}

/** What a customer is told of by silence or at a number, for messages that help (customer/trigger-*.ts). */
export const TRIGGERS = [
  'cart_abandoned',
  'browse_abandoned',
  'onboarding_stalled',
  'replenishment_due',
  'win_back',
  'post_purchase',
  'milestone',
] as const;
export type TriggerName = (typeof TRIGGERS)[number];

/** The triggers of a brand; one that is null is not followed. */
export interface TriggerSettings {
  /** The brand. */
  readonly id: string;
  /** What only becomes known later than so long after it was due is not told any more. */
  readonly lateHours: number;
  readonly cart_abandoned: { readonly afterMinutes: number } | null;
  /** So many product views within a day, and neither cart nor order. */
  readonly browse_abandoned: { readonly views: number; readonly afterMinutes: number } | null;
  /** `goal`: the measure that the customer should have something of by then. */
  readonly onboarding_stalled: { readonly afterDays: number; readonly goal: string } | null;
  /** The customer's own gap times `factor`, at least `minDays`; from `orderDays` days with an order on. */
  readonly replenishment_due: {
    readonly orderDays: number;
    readonly factor: number;
    readonly minDays: number;
  } | null;
  readonly win_back: { readonly afterDays: number } | null;
  readonly post_purchase: { readonly afterDays: number } | null;
  /** Sums since ever by measure, the lowest first. */
  readonly milestone: Readonly<Partial<Record<string, readonly number[]>>> | null;
  readonly file: string;
}

export interface Definitions {
  readonly brands: ReadonlyMap<string, BrandDefinition>;
  /** For a brand without a definition of its own. */
  readonly defaultBrand: BrandDefinition;
  readonly segments: readonly SegmentDefinition[];
  readonly measures: readonly MeasureDefinition[];
  readonly ratios: readonly RatioDefinition[];
  readonly churn: ReadonlyMap<string, ChurnModelDefinition>;
  readonly surveys: ReadonlyMap<string, SurveyDefinition>;
  readonly touchpoints: ReadonlyMap<string, TouchpointSettings>;
  /** For a brand without settings of its own. */
  readonly defaultTouchpoints: TouchpointSettings;
  /** By language. */
  readonly sentiment: ReadonlyMap<string, SentimentModelDefinition>;
  readonly experiments: ReadonlyMap<string, ExperimentDefinition>;
  readonly journeys: ReadonlyMap<string, JourneySettings>;
  /** For a brand without settings of its own. */
  readonly defaultJourney: JourneySettings;
  /** By brand; a brand without has no triggers. */
  readonly triggers: ReadonlyMap<string, TriggerSettings>;
  /** By brand; `default` for every brand without settings of its own. Of a brand with neither nothing is followed. */
  readonly affinities: ReadonlyMap<string, AffinitySettings>;
  /** Content hash of the whole set: the `definitionsVersion` of every output. */
  readonly hash: string;
}
