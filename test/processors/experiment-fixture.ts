import type { Definitions } from '../../processors/core/definitions.ts';
import type { Instant } from '../../processors/core/processor.ts';
import { createExperiment } from '../../processors/experiment/processor.ts';
import type { ExperimentState } from '../../processors/experiment/state.ts';
import type { ExperimentAddition, ExperimentTotals } from '../../processors/experiment/totals.ts';
import type { ExperimentContribution, ExperimentEvent, ExperimentResults } from '../../schemas/types.ts';
import { experiment, withExperiments } from '../harness/experiments.ts';
import { DocumentDriver } from './document-driver.ts';

export const MINUTE = 60_000;
export const T = Date.UTC(2026, 4, 1, 10, 7);

/** What a unit of the variant counts for, by metric. */
export function unit(
  variant: string,
  values: Readonly<Record<string, number>> = {},
  changes: Partial<ExperimentContribution> = {},
): ExperimentContribution {
  return {
    variant,
    crossover: false,
    heldOut: false,
    values: Object.entries(values).map(([metric, value]) => ({ metric, value })),
    ...changes,
  };
}

export function experimentEvent(changes: Partial<ExperimentEvent> = {}): ExperimentEvent {
  return {
    brandId: 'acme',
    experimentId: 'button',
    subject: 'u:1',
    occurredAt: T,
    before: null,
    after: unit('A'),
    ...changes,
  };
}

/** The document of the experiment `button`. */
export class ExperimentDriver extends DocumentDriver<
  ExperimentState,
  ExperimentEvent,
  ExperimentTotals,
  ExperimentAddition
> {
  constructor(definitions: Definitions = withExperiments([experiment()])) {
    super(createExperiment(definitions), 'acme|button');
  }

  record(at: Instant, after: ExperimentContribution | null, before: ExperimentContribution | null = null): this {
    this.take(at, experimentEvent({ occurredAt: at, before, after }));
    const fate = this.outcomes.at(-1);
    if (fate !== 'apply') throw new Error(fate);
    return this;
  }

  /** As many units at once. */
  records(at: Instant, count: number, after: ExperimentContribution): this {
    for (let left = count; left > 0; left--) this.record(at, after);
    return this;
  }

  resultsOf(metric: string): ExperimentResults[] {
    return this.outputs.map(({ value }) => value as ExperimentResults).filter(({ metricId }) => metricId === metric);
  }

  /** The last record of the metric. */
  last(metric: string): ExperimentResults {
    const last = this.resultsOf(metric).at(-1);
    if (last === undefined) throw new Error(`nothing was published of ${metric}`);
    return last;
  }

  /** The brand and the experiment left out. */
  get gauges(): Record<string, number> {
    return this.gaugesWithout('brand', 'experiment');
  }
}
