import type { InteractionType } from '../../schemas/types.ts';
import type { Span } from '../core/window.ts';
import type { BrandRules } from './brand-rules.ts';
import { eventField, type EventField } from './event-fields.ts';
import { compileFilter, type EventFilter, type Passes } from './event-filter.ts';
import type { FeatureValue } from './features.ts';
import type { Sequence } from './sequences.ts';
import type { UserMeasure } from './user-measures.ts';
import { SPANS } from './windows.ts';

/** What is watched of one measure of the brand's own. */
export interface MeasureWatch {
  readonly measure: UserMeasure;
  /** Windows that some segment reads; null: since ever. */
  readonly windows: readonly {
    readonly slot: number;
    readonly span: Span | null;
    readonly thresholds: readonly number[];
  }[];
  readonly age: { readonly slot: number; readonly thresholds: readonly number[] } | null;
  /** Some segment reads a ratio of it. */
  readonly isInRatios: boolean;
  /** Reused: the windows' values before an event. */
  readonly before: FeatureValue[];
}

/** A sequence that some segment reads. */
export interface SequenceWatch {
  readonly sequence: Sequence;
  readonly slot: number;
}

/** What events of one type may be gathered for. */
export interface TypeRules {
  /** The fields that its filters look at, and where they put them. */
  readonly fields: readonly { readonly slot: number; readonly field: EventField }[];
  readonly measures: readonly { readonly watch: MeasureWatch; readonly passes: Passes }[];
  /** Null for a filter that lets no event of the type through. */
  readonly sequences: readonly {
    readonly watch: SequenceWatch;
    readonly isFirst: Passes | null;
    readonly isNext: Passes | null;
  }[];
}

/** A brand's own measures and sequences, turned round: from the type of an event to what it may count for. */
export interface GatherPlan {
  readonly byType: ReadonlyMap<InteractionType, TypeRules>;
  readonly byKey: ReadonlyMap<number, MeasureWatch>;
  readonly sequencesByKey: ReadonlyMap<number, SequenceWatch>;
  /** Reused: what the fields hold of the event in hand, by slot. */
  readonly values: FeatureValue[];
  /** Reused: slots that the event in hand moved to another side of a threshold, each with the region it came from and the one it went to. */
  readonly moved: number[];
  /** Reused: the event in hand counted for a measure that some ratio is made of. */
  touchesRatios: boolean;
}

/** Null for a brand that defines nothing of its own: its events are not looked at. */
export function gatherPlanOf(rules: BrandRules): GatherPlan | null {
  const watches = rules.features.flatMap((feature, slot) =>
    feature.kind === 'sequence' ? [{ sequence: feature.sequence, slot }] : [],
  );
  if (rules.measures.length === 0 && watches.length === 0) return null;
  const paths: string[] = [];
  const slotOf = (path: string): number => {
    const known = paths.indexOf(path);
    return known >= 0 ? known : paths.push(path) - 1;
  };
  const measures = rules.measures.map((measure) => watchOf(measure, rules));
  const filters = [
    ...rules.measures.map(({ filter }) => filter),
    ...watches.flatMap(({ sequence: { first, next } }) => [first, next]),
  ];
  const byType = new Map<InteractionType, TypeRules>();
  for (const type of new Set(filters.flatMap(({ types }) => types))) {
    byType.set(type, rulesOfType(type, measures, watches, slotOf));
  }
  return {
    byType,
    byKey: new Map(measures.map((watch) => [watch.measure.key, watch])),
    sequencesByKey: new Map(watches.map((watch) => [watch.sequence.key, watch])),
    values: paths.map(() => undefined),
    moved: [],
    touchesRatios: false,
  };
}

function watchOf(measure: UserMeasure, { features, thresholds }: BrandRules): MeasureWatch {
  const slots = features.map((feature, slot) => ({ feature, slot, thresholds: thresholds[slot] ?? [] }));
  const windows = slots.flatMap(({ feature, ...watch }) =>
    feature.kind === 'measured' && feature.measure === measure ? [{ ...watch, span: SPANS[feature.window] }] : [],
  );
  const age = slots.find(({ feature }) => feature.kind === 'measured_age' && feature.measure === measure);
  const isInRatios = features.some(
    (feature) =>
      feature.kind === 'own_ratio' &&
      (feature.ratio.numerator.own === measure || feature.ratio.denominator.own === measure),
  );
  return { measure, windows, age: age ?? null, isInRatios, before: windows.map(() => undefined) };
}

/** Every filter is decided by the type first: of an event only what is left to be asked is read. */
function rulesOfType(
  type: InteractionType,
  measures: readonly MeasureWatch[],
  sequences: readonly SequenceWatch[],
  slotOf: (path: string) => number,
): TypeRules {
  const asked = new Map<string, number>();
  const compile = (filter: EventFilter): Passes | null =>
    compileFilter(filter, type, (path) => {
      const slot = slotOf(path);
      asked.set(path, slot);
      return slot;
    });
  const passing = measures.flatMap((watch) => {
    const passes = compile(watch.measure.filter);
    return passes === null ? [] : [{ watch, passes }];
  });
  const noting = sequences.flatMap((watch) => {
    const isFirst = compile(watch.sequence.first);
    const isNext = compile(watch.sequence.next);
    return isFirst === null && isNext === null ? [] : [{ watch, isFirst, isNext }];
  });
  const fields = [...asked].flatMap(([path, slot]) => {
    const field = eventField(path);
    return typeof field === 'string' ? [] : [{ slot, field }];
  });
  return { fields, measures: passing, sequences: noting };
}
