import type { CustomerTraits, JourneyTraits, MeasureTraits, VisitTraits } from '../../schemas/types.ts';
import { MEASURES, RATIOS, WINDOWS, type Measure, type Ratio, type Window } from './features.ts';

type Sums = Readonly<Record<Window, number>>;

/** What a segment rule sees of a customer at an instant, as nested plain JSON; paths without a value are left out. */
export interface ProfileView {
  readonly traits: Record<Measure, Sums>;
  readonly ratios: Partial<Record<Ratio, Partial<Sums>>>;
  readonly ages: Partial<Record<Measure, number>>;
  readonly churn?: { readonly probability: number; readonly band: string };
  readonly attributes: Record<string, string>;
  readonly segments: readonly string[];
  readonly identified: boolean;
  readonly stage?: string;
  readonly lifecycle?: string;
  /** Shown, but not for rules. */
  readonly stageSince?: string;
  readonly lifecycleSince?: string;
  /** Shown, but not for rules: the measures `sessions` and `engaged_seconds` are. */
  readonly visits?: VisitView;
}

export interface VisitView extends VisitTraits {
  /** Of the measured page views; absent when there is none. */
  readonly averageViewMs?: number;
  readonly longViewShare?: number;
}

const FIELDS = {
  '1h': 'last1h',
  '24h': 'last24h',
  '7d': 'last7d',
  '30d': 'last30d',
  '90d': 'last90d',
  '365d': 'last365d',
  lifetime: 'lifetime',
} as const satisfies Record<Window, string>;

const NOTHING: Sums = { '1h': 0, '24h': 0, '7d': 0, '30d': 0, '90d': 0, '365d': 0, lifetime: 0 };

/** Unpacks published traits into the view that rules are written against. */
export function profileViewOf(traits: CustomerTraits): ProfileView {
  const measures = new Map(traits.traits.map((each) => [each.measure, each]));
  const ages: Partial<Record<Measure, number>> = {};
  for (const measure of MEASURES) {
    const age = measures.get(measure)?.ageDays ?? null;
    if (age !== null) ages[measure] = age;
  }
  return {
    traits: sumsOf(measures),
    ratios: ratiosOf(traits),
    ages,
    ...(traits.churn === null ? {} : { churn: traits.churn }),
    attributes: traits.attributes,
    segments: traits.segments,
    identified: traits.identified,
    ...journeyView(traits.journey),
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

function visitView(visits: VisitTraits): VisitView {
  const { measuredViews, visibleMs, longViews } = visits;
  if (measuredViews === 0) return visits;
  return { ...visits, averageViewMs: visibleMs / measuredViews, longViewShare: longViews / measuredViews };
}

function ratiosOf(traits: CustomerTraits): Partial<Record<Ratio, Partial<Sums>>> {
  const ratios: Partial<Record<Ratio, Partial<Sums>>> = {};
  for (const ratio of Object.keys(RATIOS) as Ratio[]) {
    const known = traits.ratios.find((each) => each.ratio === ratio);
    if (known === undefined) continue;
    const windows: Partial<Record<Window, number>> = {};
    for (const window of WINDOWS) {
      const value = known[FIELDS[window]];
      if (value !== null) windows[window] = value;
    }
    ratios[ratio] = windows;
  }
  return ratios;
}

// Written out, because a replay makes a view of every customer: a loop over names took a third of its time.
function sumsOf(measures: ReadonlyMap<string, MeasureTraits>): Record<Measure, Sums> {
  const sums: Partial<Record<Measure, Sums>> = {};
  for (const measure of MEASURES) {
    const known = measures.get(measure);
    sums[measure] =
      known === undefined
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
  // Each measure was set.
  return sums as Record<Measure, Sums>;
}
