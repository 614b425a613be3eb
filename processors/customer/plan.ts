import type { Span } from '../core/window.ts';
import { affinityPlanOf, type AffinityPlan } from './affinity-plan.ts';
import type { BrandRules } from './brand-rules.ts';
import type { Nobody } from './decide-anew.ts';
import { experimentPlanOf, type ExperimentPlan } from './experiment-plan.ts';
import { MEASURES, RATIOS, type FeatureValue, type Measure } from './features.ts';
import { fingerprint } from '../core/fingerprint.ts';
import type { Flip } from './flips.ts';
import { gatherPlanOf, type GatherPlan } from './gather-plan.ts';
import { placeOf, SIGNED } from './measures.ts';
import { readersOf, type Readers } from './readers.ts';
import { SCORES } from './scores.ts';
import type { SegmentList } from './segment-list.ts';
import { triggerPlanOf, type TriggerPlan } from './trigger-plan.ts';
import type { RatioSide } from './user-ratios.ts';
import { SPANS } from './windows.ts';

/** A sum over a window that some segment reads. */
export interface TraitWatch {
  readonly slot: number;
  readonly span: Span | null;
  readonly thresholds: readonly number[];
}

/** What is watched of one measure. */
export interface MeasureWatches {
  readonly lifetime: readonly TraitWatch[];
  /** By ring, the shortest window first. */
  readonly rings: readonly (readonly TraitWatch[])[];
  readonly age: AgeWatch | null;
  /** The sum can fall below zero. */
  readonly signed: boolean;
}

export interface RatioWatch extends TraitWatch {
  readonly numerator: RatioSide;
  readonly denominator: RatioSide;
}

/** An age in whole days that some segment reads. */
export interface AgeWatch {
  readonly slot: number;
  readonly thresholds: readonly number[];
}

/** A brand's rules, turned round: from what an event touches to the segments it may flip. */
export interface Plan {
  readonly rules: BrandRules;
  /** Which definitions these are, in 32 bits, never 0. */
  readonly version: number;
  /** Nothing is published by it: for what is held apart of a customer (identity.ts). */
  readonly isQuiet: boolean;
  /** The same without segments and churn model: what is left changes the state alone. Made when first asked for. */
  readonly quiet: () => Plan;
  readonly measures: readonly MeasureWatches[];
  readonly ratios: readonly RatioWatch[];
  /** Bits of the product's measures that these are made of. */
  readonly inRatios: number;
  readonly attributes: readonly { readonly slot: number; readonly name: string }[];
  readonly churnSlots: readonly number[];
  /** Null for a brand without experiments. */
  readonly experiments: ExperimentPlan | null;
  readonly stageSlots: readonly number[];
  readonly lifecycleSlots: readonly number[];
  /** Measures of the brand's own; null when it has none. */
  readonly gathering: GatherPlan | null;
  readonly loyaltySlots: readonly number[];
  /** Null for a brand without triggers. */
  readonly triggers: TriggerPlan | null;
  /** By place of the score: its slot; −1: no rule reads it. */
  readonly scoreSlots: readonly number[];
  /** Null for a brand that follows none. */
  readonly affinity: AffinityPlan | null;
  /** Probabilities that some segment compares with, and the bands' limits. */
  readonly churnThresholds: readonly number[];
  /** By slot: the segments that read it. */
  readonly readers: readonly Readers[];
  /** By place of segment: places of those that name it, all of them later. */
  readonly namedBy: readonly (readonly number[])[];
  readonly placeOfSegment: ReadonlyMap<string, number>;
  /** Places of the segments by their ids. */
  readonly byId: readonly number[];
  /** By place: where it stands in `byId`. */
  readonly ranks: Int32Array;
  /** Lists that customers of this brand are in, by a hash of their places (member-lists.ts). */
  readonly lists: Map<number, SegmentList>;
  /** By place of segment, leaving and entering it; made when it first happens (flips.ts). */
  readonly flips: (Flip | undefined)[];
  /** Reused from evaluation to evaluation. */
  readonly scratch: PlanScratch;
}

export interface PlanScratch {
  /** By slot: not 0 when its value may have moved to another side of a threshold; 1 for whatever side (readers.ts). */
  readonly moved: Uint8Array;
  /** From which region to which, where that is known. */
  readonly movedFrom: Int32Array;
  readonly movedTo: Int32Array;
  readonly values: FeatureValue[];
  /** By slot: `values` holds what it is at the instant in hand. */
  readonly known: Uint8Array;
  /** By place of segment. */
  readonly members: Uint8Array;
  /** `members` before the instant in hand, where everything is decided anew. */
  readonly membersBefore: Uint8Array;
  readonly suspects: Uint8Array;
  /** The same bytes, eight of them in a number: 0 when none is marked. */
  readonly suspectsByEight: Float64Array;
  /** Made when somebody is first decided anew (decide-anew.ts). */
  nobody: Nobody | null;
  /** By measure: on which side of its thresholds the age was before the event. */
  readonly ageRegions: Int32Array;
}

const BAND_LIMITS = [1 / 3, 2 / 3];

export function planOf(rules: BrandRules, isQuiet = false): Plan {
  let quiet: Plan | null = null;
  const traits: { measure: number; watch: TraitWatch }[] = [];
  const ratios: RatioWatch[] = [];
  const ages = new Map<number, AgeWatch>();
  const attributes: { slot: number; name: string }[] = [];
  const churnSlots: number[] = [];
  const stageSlots: number[] = [];
  const lifecycleSlots: number[] = [];
  const loyaltySlots: number[] = [];
  const scoreSlots = SCORES.map(() => -1);
  const churnThresholds = [...BAND_LIMITS];
  for (const [slot, feature] of rules.features.entries()) {
    const thresholds = rules.thresholds[slot] ?? [];
    switch (feature.kind) {
      case 'trait':
        traits.push({ measure: placeOf(feature.measure), watch: { slot, span: SPANS[feature.window], thresholds } });
        break;
      case 'ratio': {
        const { numerator, denominator } = RATIOS[feature.ratio];
        const sides = { numerator: shippedSide(numerator), denominator: shippedSide(denominator) };
        ratios.push({ slot, span: SPANS[feature.window], thresholds, ...sides });
        break;
      }
      case 'own_ratio': {
        const { numerator, denominator } = feature.ratio;
        ratios.push({ slot, span: SPANS[feature.window], thresholds, numerator, denominator });
        break;
      }
      case 'age':
        ages.set(placeOf(feature.measure), { slot, thresholds });
        break;
      case 'attribute':
        attributes.push({ slot, name: feature.name });
        break;
      case 'churn_probability':
      case 'churn_band':
        churnSlots.push(slot);
        churnThresholds.push(...thresholds);
        break;
      case 'stage':
        stageSlots.push(slot);
        break;
      case 'lifecycle':
        lifecycleSlots.push(slot);
        break;
      case 'loyalty_tier':
      case 'loyalty_points':
        loyaltySlots.push(slot);
        break;
      case 'score':
        scoreSlots[SCORES.indexOf(feature.score)] = slot;
        break;
      case 'measured':
      case 'measured_age':
      case 'sequence':
      case 'affinity':
        // Followed by their own plans (gather-plan.ts, affinity-plan.ts).
        break;
      case 'segments':
      case 'identified':
        // Nothing moves these by itself: memberships are followed while they are evaluated.
        break;
    }
  }
  const byId = rules.segments.map((_, place) => place).sort((a, b) => compareIds(rules, a, b));
  const ranks = new Int32Array(byId.length);
  for (const [rank, place] of byId.entries()) ranks[place] = rank;
  return {
    rules,
    version: revisionOf(rules.hash),
    isQuiet,
    quiet: () => (quiet ??= planOf({ ...rules, segments: [], churn: null }, true)),
    measures: MEASURES.map((_, measure) => watchesOf(measure, traits, ages.get(measure) ?? null)),
    ratios,
    inRatios: ratios.reduce((bits, { numerator, denominator }) => bits | bitOf(numerator) | bitOf(denominator), 0),
    attributes,
    churnSlots,
    experiments: experimentPlanOf(rules.experiments),
    stageSlots,
    lifecycleSlots,
    gathering: gatherPlanOf(rules),
    loyaltySlots,
    triggers: triggerPlanOf(rules.triggers),
    scoreSlots,
    affinity: affinityPlanOf(rules),
    churnThresholds,
    readers: readersOf(rules),
    namedBy: rules.segments.map((_, place) => namesOf(rules, place)),
    placeOfSegment: new Map(rules.segments.map((segment, place) => [segment.id, place])),
    byId,
    ranks,
    lists: new Map(),
    flips: [],
    scratch: scratchOf(rules),
  };
}

function shippedSide(measure: Measure): RatioSide {
  return { place: placeOf(measure), own: null };
}

function bitOf({ place, own }: RatioSide): number {
  return own === null ? 1 << place : 0;
}

/** Plans by brand; brands come from the data, so only so many are remembered. */
export function planner(rulesOf: (brandId: string) => BrandRules, brandsMax = 10_000): (brandId: string) => Plan {
  const plans = new Map<string, Plan>();
  return (brandId) => {
    let plan = plans.get(brandId);
    if (plan === undefined) {
      plan = planOf(rulesOf(brandId));
      if (plans.size >= brandsMax) plans.clear();
      plans.set(brandId, plan);
    }
    return plan;
  };
}

function watchesOf(
  measure: number,
  traits: readonly { measure: number; watch: TraitWatch }[],
  age: AgeWatch | null,
): MeasureWatches {
  const own = traits.filter((trait) => trait.measure === measure).map((trait) => trait.watch);
  const inRing = (ring: number): TraitWatch[] =>
    own.filter(({ span }) => span?.ring === ring).sort((a, b) => (a.span?.hops ?? 0) - (b.span?.hops ?? 0));
  return {
    lifetime: own.filter(({ span }) => span === null),
    rings: [inRing(0), inRing(1), inRing(2)],
    age,
    signed: SIGNED.has(measure),
  };
}

function namesOf({ segments }: BrandRules, named: number): number[] {
  return [...segments.entries()].filter(([, { names }]) => names.includes(named)).map(([place]) => place);
}

function compareIds(rules: BrandRules, a: number, b: number): number {
  return (rules.segments[a]?.id ?? '') < (rules.segments[b]?.id ?? '') ? -1 : 1;
}

/** Raised when every customer must be counted anew for the brand, whatever the definitions. */
const COUNTING = 2;

/** Which definitions these are, by their hash, and how customers are counted under them. */
export function revisionOf(hash: string): number {
  return fingerprint(`${hash} ${COUNTING}`) % 2 ** 32 || 1;
}

function scratchOf(rules: BrandRules): PlanScratch {
  const slots = rules.features.length;
  const suspectsByEight = new Float64Array(Math.ceil(rules.segments.length / 8));
  return {
    moved: new Uint8Array(slots),
    movedFrom: new Int32Array(slots),
    movedTo: new Int32Array(slots),
    values: new Array<FeatureValue>(slots).fill(undefined),
    known: new Uint8Array(slots),
    members: new Uint8Array(rules.segments.length),
    membersBefore: new Uint8Array(rules.segments.length),
    suspects: new Uint8Array(suspectsByEight.buffer, 0, rules.segments.length),
    suspectsByEight,
    nobody: null,
    ageRegions: new Int32Array(MEASURES.length),
  };
}
