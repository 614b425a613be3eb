import type {
  AffinityTraits,
  CustomerTraits,
  JourneyTraits,
  LoyaltyTraits,
  MeasureTraits,
  VisitTraits,
} from '../../schemas/types.ts';
import { MEASURES, WINDOWS, type Measure, type Window } from './features.ts';
import { FIELD_OF_WINDOW, isNumber } from './measured-traits.ts';
import type { UserMeasure } from './user-measures.ts';

type Sums = Readonly<Record<Window, number>>;
type Values = Readonly<Partial<Record<Window, number | string>>>;

/** What a segment rule sees of a customer at an instant, as nested plain JSON; paths without a value are left out. */
export interface ProfileView {
  /** Measures of the brand's own as well; what a window has no value of is left out. */
  readonly traits: Record<Measure, Sums> & Readonly<Record<string, Values>>;
  /** Ratios of the brand's own as well. */
  readonly ratios: Readonly<Record<string, Partial<Sums>>>;
  readonly ages: Partial<Record<Measure, number>> & Readonly<Partial<Record<string, number>>>;
  readonly churn?: { readonly probability: number; readonly band: string };
  readonly attributes: Record<string, string>;
  readonly segments: readonly string[];
  readonly identified: boolean;
  readonly stage?: string;
  readonly lifecycle?: string;
  readonly loyalty?: { readonly tier?: string; readonly points: number };
  /** The first key of each dimension. */
  readonly affinity?: { readonly [dimension: string]: string | number };
  /** The last answer of each. */
  readonly scores?: { readonly [score: string]: number };
  /** Shown, but not for rules. */
  readonly scoredAt?: { readonly [score: string]: string };
  readonly stageSince?: string;
  readonly lifecycleSince?: string;
  /** Shown, but not for rules: the first keys of each dimension, with their weights at the newest event that counted. */
  readonly affinities?: readonly AffinityView[];
  /** Shown, but not for rules: the measures `sessions` and `engaged_seconds` are. */
  readonly visits?: VisitView;
}

export interface AffinityView extends Pick<AffinityTraits, 'dimension' | 'keys'> {
  readonly lastAt: string;
}

export interface VisitView extends VisitTraits {
  /** Of the measured page views; absent when there is none. */
  readonly averageViewMs?: number;
  readonly longViewShare?: number;
}

const NOTHING: Sums = { '1h': 0, '24h': 0, '7d': 0, '30d': 0, '90d': 0, '365d': 0, lifetime: 0 };

/**
 * Unpacks published traits into the view that rules are written against. `own`: the measures that the brand defined; of those
 * not named only what the customer has events of is there.
 */
export function profileViewOf(traits: CustomerTraits, own: readonly UserMeasure[] = []): ProfileView {
  const measures = new Map(traits.traits.map((each) => [each.measure, each]));
  const ages: Partial<Record<string, number>> = {};
  for (const { measure, ageDays } of traits.traits) if (ageDays !== null) ages[measure] = ageDays;
  for (const { measure, ageDays } of traits.values) if (ageDays !== null) ages[measure] = ageDays;
  return {
    traits: Object.assign(shippedSums(measures), ownValues(traits, own)),
    ratios: ratiosOf(traits),
    ages,
    ...(traits.churn === null ? {} : { churn: traits.churn }),
    attributes: traits.attributes,
    segments: traits.segments,
    identified: traits.identified,
    ...journeyView(traits.journey),
    ...loyaltyView(traits.loyalty),
    ...affinityView(traits.affinities),
    ...scoresView(traits.scores),
    ...(traits.visits === null ? {} : { visits: visitView(traits.visits) }),
  };
}

function journeyView(
  journey: JourneyTraits | null,
): Pick<ProfileView, 'stage' | 'stageSince' | 'lifecycle' | 'lifecycleSince'> {
  const { stage = null, stageSince = null, lifecycle = null, lifecycleSince = null } = journey ?? {};
  return {
    ...(stage === null ? {} : { stage }),
    ...(stageSince === null ? {} : { stageSince: new Date(stageSince).toISOString() }),
    ...(lifecycle === null ? {} : { lifecycle }),
    ...(lifecycleSince === null ? {} : { lifecycleSince: new Date(lifecycleSince).toISOString() }),
  };
}

function loyaltyView(loyalty: LoyaltyTraits | null): Pick<ProfileView, 'loyalty'> {
  if (loyalty === null) return {};
  const { tier, points } = loyalty;
  return { loyalty: tier === null ? { points } : { tier, points } };
}

function affinityView(affinities: readonly AffinityTraits[]): Pick<ProfileView, 'affinity' | 'affinities'> {
  if (affinities.length === 0) return {};
  const first = affinities.map(({ dimension, keys: [{ key } = { key: '' }] }) => {
    return [dimension, dimension === 'hour' ? Number(key) : key] as const;
  });
  return {
    affinity: Object.fromEntries(first),
    affinities: affinities.map(({ dimension, lastAt, keys }) => {
      return { dimension, lastAt: new Date(lastAt).toISOString(), keys };
    }),
  };
}

function scoresView(scores: CustomerTraits['scores']): Pick<ProfileView, 'scores' | 'scoredAt'> {
  if (scores.length === 0) return {};
  return {
    scores: Object.fromEntries(scores.map(({ score, value }) => [score, value])),
    scoredAt: Object.fromEntries(scores.map(({ score, answeredAt }) => [score, new Date(answeredAt).toISOString()])),
  };
}

function visitView(visits: VisitTraits): VisitView {
  const { measuredViews, visibleMs, longViews } = visits;
  if (measuredViews === 0) return visits;
  return { ...visits, averageViewMs: visibleMs / measuredViews, longViewShare: longViews / measuredViews };
}

function ratiosOf(traits: CustomerTraits): ProfileView['ratios'] {
  const ratios: Record<string, Partial<Sums>> = {};
  for (const known of traits.ratios) {
    const windows: Partial<Record<Window, number>> = {};
    for (const window of WINDOWS) {
      const value = known[FIELD_OF_WINDOW[window]];
      if (value !== null) windows[window] = value;
    }
    ratios[known.ratio] = windows;
  }
  return ratios;
}

function shippedSums(measures: ReadonlyMap<string, MeasureTraits>): Record<Measure, Sums> {
  const sums: Partial<Record<Measure, Sums>> = {};
  for (const measure of MEASURES) sums[measure] = sumsOf(measures.get(measure));
  // Each measure was set.
  return sums as Record<Measure, Sums>;
}

// Written out, because a replay makes a view of every customer: a loop over names took a third of its time.
function sumsOf(known: MeasureTraits | undefined): Sums {
  return known === undefined
    ? NOTHING
    : {
        '1h': known.last1h,
        '24h': known.last24h,
        '7d': known.last7d,
        '30d': known.last30d,
        '90d': known.last90d,
        '365d': known.last365d,
        lifetime: known.lifetime,
      };
}

/** The brand's own measures by id; one that has no value anywhere is there all the same. */
function ownValues({ traits, values }: CustomerTraits, own: readonly UserMeasure[]): Record<string, Values> {
  const found: Record<string, Values> = {};
  for (const measure of own) found[measure.definition.id] = isNumber(measure) ? NOTHING : {};
  for (const each of traits) if (!SHIPPED.has(each.measure)) found[each.measure] = sumsOf(each);
  for (const each of values) {
    const known: Partial<Record<Window, number | string>> = {};
    for (const window of WINDOWS) {
      const value = each[FIELD_OF_WINDOW[window]];
      if (value !== null) known[window] = value;
    }
    found[each.measure] = known;
  }
  return found;
}

const SHIPPED: ReadonlySet<string> = new Set(MEASURES);
