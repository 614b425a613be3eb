import type { CustomerTraits } from '../../schemas/types.ts';
import { MEASURES, RATIOS, WINDOWS, type Measure, type Ratio, type Window } from './features.ts';

type Sums = Record<Window, number>;

/** What a segment rule sees of a customer at an instant, as nested plain JSON; paths without a value are left out. */
export interface ProfileView {
  readonly traits: Record<Measure, Sums>;
  readonly ratios: Partial<Record<Ratio, Partial<Sums>>>;
  readonly ages: Partial<Record<Measure, number>>;
  readonly churn?: { readonly probability: number; readonly band: string };
  readonly attributes: Record<string, string>;
  readonly segments: readonly string[];
  readonly identified: boolean;
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

/** Unpacks published traits into the view that rules are written against. */
export function profileViewOf(traits: CustomerTraits): ProfileView {
  const measures = new Map(traits.traits.map((each) => [each.measure, each]));
  const ages: Partial<Record<Measure, number>> = {};
  for (const measure of MEASURES) {
    const age = measures.get(measure)?.ageDays ?? null;
    if (age !== null) ages[measure] = age;
  }
  return {
    traits: record(MEASURES, (measure) => record(WINDOWS, (window) => measures.get(measure)?.[FIELDS[window]] ?? 0)),
    ratios: ratiosOf(traits),
    ages,
    ...(traits.churn === null ? {} : { churn: traits.churn }),
    attributes: traits.attributes,
    segments: traits.segments,
    identified: traits.identified,
  };
}

function ratiosOf(traits: CustomerTraits): Partial<Record<Ratio, Partial<Sums>>> {
  const ratios: Partial<Record<Ratio, Partial<Sums>>> = {};
  for (const ratio of Object.keys(RATIOS) as Ratio[]) {
    const known = traits.ratios.find((each) => each.ratio === ratio);
    if (known === undefined) continue;
    const windows: Partial<Sums> = {};
    for (const window of WINDOWS) {
      const value = known[FIELDS[window]];
      if (value !== null) windows[window] = value;
    }
    ratios[ratio] = windows;
  }
  return ratios;
}

function record<Key extends string, Value>(keys: readonly Key[], valueOf: (key: Key) => Value): Record<Key, Value> {
  return Object.fromEntries(keys.map((key) => [key, valueOf(key)])) as Record<Key, Value>;
}
