import type { MeasureTraits, ValueTraits } from '../../schemas/types.ts';
import type { Instant } from '../core/processor.ts';
import type { BrandRules } from './brand-rules.ts';
import { WINDOWS, type FeatureValue, type Window } from './features.ts';
import { MEASURED } from './measured.ts';
import type { OpenState } from './open-state.ts';
import type { UserMeasure } from './user-measures.ts';
import { ageDays } from './watching.ts';

/** Where the traits record has each window, in its order. */
export const FIELD_OF_WINDOW = {
  '1h': 'last1h',
  '24h': 'last24h',
  '7d': 'last7d',
  '30d': 'last30d',
  '90d': 'last90d',
  '365d': 'last365d',
  lifetime: 'lifetime',
} as const satisfies Record<Window, string>;
type WindowField = (typeof FIELD_OF_WINDOW)[Window];

/** The brand's own measures that the customer has events of, by id. */
export function ownMeasures(open: OpenState, { measures }: Pick<BrandRules, 'measures'>): readonly UserMeasure[] {
  if (measures.length === 0 || !open.parts.has(MEASURED)) return NONE;
  const measured = open.parts.get(MEASURED);
  return measures.filter(({ key }) => measured.has(key));
}

const NONE: readonly UserMeasure[] = [];

/** Whether every window has a number: counts, sums and distinct values; the others can be missing, and a last one a text. */
export function isNumber({ domain }: UserMeasure): boolean {
  return !domain.optional;
}

type ShownValue = number | string | null;

/** One of the brand's own measures at `now`: over every window, in the order of WINDOWS, and its age. One is reused for all. */
export interface MeasuredTraits {
  /** null: none. */
  readonly values: readonly ShownValue[];
  readonly ageDays: number | null;
}

const known: FeatureValue[] = WINDOWS.map(() => undefined);
const values: ShownValue[] = WINDOWS.map(() => null);
const reused = { values, ageDays: null as number | null };

export function measuredTraits(measure: UserMeasure, open: OpenState, now: Instant): MeasuredTraits {
  const own = open.parts.get(MEASURED).get(measure.key);
  if (own === undefined) throw new RangeError(`the customer has nothing of ${measure.definition.id}`);
  const { gathering } = measure;
  gathering.valuesIn(own.summary ?? gathering.glance(own.bytes, own.start, own.end), now, known);
  for (let index = 0; index < known.length; index++) {
    const value = known[index];
    values[index] = typeof value === 'number' || typeof value === 'string' ? value : null;
  }
  reused.ageDays = ageDays(own.lastAt, now) ?? null;
  return reused;
}

export function numberTraits(measure: UserMeasure, open: OpenState, now: Instant): MeasureTraits {
  const traits = measuredTraits(measure, open, now);
  return { measure: measure.definition.id, ...windowsOf(traits, Number), ageDays: traits.ageDays };
}

export function valueTraits(measure: UserMeasure, open: OpenState, now: Instant): ValueTraits {
  const traits = measuredTraits(measure, open, now);
  return { measure: measure.definition.id, ...windowsOf(traits, (value) => value), ageDays: traits.ageDays };
}

function windowsOf<Value>(traits: MeasuredTraits, shown: (value: ShownValue) => Value): Record<WindowField, Value> {
  const valueAt = (index: number): Value => shown(traits.values[index] ?? null);
  return {
    last1h: valueAt(0),
    last24h: valueAt(1),
    last7d: valueAt(2),
    last30d: valueAt(3),
    last90d: valueAt(4),
    last365d: valueAt(5),
    lifetime: valueAt(6),
  };
}
