import type { InteractionType } from '../../schemas/types.ts';
import type { ExperimentDefinition, ExperimentMetric } from '../core/definitions.ts';
import type { Fault } from '../core/errors.ts';
import { fingerprint, type Fingerprint } from '../core/fingerprint.ts';
import type { ReadFields } from '../core/processor.ts';
import { eventField } from './event-fields.ts';
import { compileFilter, parseEventFilter, type EventFilter } from './event-filter.ts';
import type { FeatureValue } from './features.ts';
import type { FoldedInteraction } from './read-fields.ts';

/** What a metric counts by a filter. Metrics that say the same share one. */
export interface MetricFilter {
  /** Of what it says: under this an event that passed is remembered. */
  readonly key: Fingerprint;
  readonly types: ReadonlySet<InteractionType>;
  passes(interaction: FoldedInteraction): boolean;
}

/** Orders are taken back when they are cancelled, which what is remembered of an event does not know. */
const OF_ORDERS: ReadonlySet<InteractionType> = new Set(['ORDER_PLACED', 'ORDER_CANCELLED', 'ORDER_REFUNDED']);

export function filterKeyOf({ where }: ExperimentMetric): Fingerprint | null {
  return where === null ? null : fingerprint(JSON.stringify(where));
}

/** Every filter of some metric, once. */
export function filtersOf(experiments: readonly ExperimentDefinition[]): MetricFilter[] {
  const filters = new Map<Fingerprint, MetricFilter>();
  for (const metric of experiments.flatMap(({ metrics }) => metrics)) {
    const key = filterKeyOf(metric);
    // Its faults were told when the definitions were read.
    if (key !== null) filters.set(key, filterOf(key, parseEventFilter(metric.where, '', [])));
  }
  return [...filters.values()];
}

/** The fields of an event that filters of metrics look at, and what is wrong with filters. */
export function readMetricFilters(experiments: Iterable<ExperimentDefinition>, faults: Fault[]): ReadFields[] {
  const asked: ReadFields[] = [];
  for (const { metrics, file } of experiments) {
    for (const [place, { where }] of metrics.entries()) {
      if (where === null) continue;
      const at = `${file}: metrics.${place}.where`;
      const filter = parseEventFilter(where, at, faults);
      const type = filter.types.find((each) => OF_ORDERS.has(each));
      if (type !== undefined) {
        const message = `lets ${type} through, and orders may be taken back: count them by types, or ask for another type`;
        faults.push({ where: at, message });
      }
      for (const path of filter.paths) {
        const field = eventField(path);
        if (typeof field !== 'string') asked.push(field.reads);
      }
    }
  }
  return asked;
}

function filterOf(key: Fingerprint, filter: EventFilter): MetricFilter {
  const paths = [...filter.paths];
  const fields = paths.map(eventField).filter((each) => typeof each !== 'string');
  const byType = new Map(
    filter.types.map((type) => [type, compileFilter(filter, type, (path) => paths.indexOf(path))]),
  );
  const values: FeatureValue[] = [];
  return {
    key,
    types: new Set(filter.types),
    passes(interaction) {
      const passes = byType.get(interaction.type) ?? null;
      if (passes === null) return false;
      for (let slot = 0; slot < fields.length; slot++) values[slot] = fields[slot]?.read(interaction);
      return passes(values);
    },
  };
}
