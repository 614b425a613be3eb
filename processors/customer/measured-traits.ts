import type { MeasureTraits, ValueTraits } from '../../schemas/types.ts';
import type { Instant } from '../core/processor.ts';
import type { BrandRules } from './brand-rules.ts';
import type { Window } from './features.ts';
import { MEASURED, openMeasured } from './measured.ts';
import type { OpenState } from './open-state.ts';
import type { UserMeasure } from './user-measures.ts';
import { ageDays } from './watching.ts';
import { SPANS } from './windows.ts';

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
export const WINDOW_FIELDS = Object.values(FIELD_OF_WINDOW);

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

export function numberTraits(measure: UserMeasure, open: OpenState, now: Instant): MeasureTraits {
  const { summary, lastAt } = openMeasured(open.parts.get(MEASURED), measure);
  return {
    measure: measure.definition.id,
    ...windowsOf((span) => Number(measure.gathering.valueIn(summary, span, now))),
    ageDays: ageDays(lastAt, now) ?? null,
  };
}

export function valueTraits(measure: UserMeasure, open: OpenState, now: Instant): ValueTraits {
  const { summary, lastAt } = openMeasured(open.parts.get(MEASURED), measure);
  const valueIn = (span: (typeof SPANS)[Window]): number | string | null => {
    const value = measure.gathering.valueIn(summary, span, now);
    return typeof value === 'number' || typeof value === 'string' ? value : null;
  };
  return { measure: measure.definition.id, ...windowsOf(valueIn), ageDays: ageDays(lastAt, now) ?? null };
}

function windowsOf<Value>(valueIn: (span: (typeof SPANS)[Window]) => Value): Record<WindowField, Value> {
  return {
    last1h: valueIn(SPANS['1h']),
    last24h: valueIn(SPANS['24h']),
    last7d: valueIn(SPANS['7d']),
    last30d: valueIn(SPANS['30d']),
    last90d: valueIn(SPANS['90d']),
    last365d: valueIn(SPANS['365d']),
    lifetime: valueIn(SPANS.lifetime),
  };
}
