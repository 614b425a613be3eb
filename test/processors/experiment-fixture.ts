import type { Definitions } from '../../processors/core/definitions.ts';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import type { Applied, Instant, Output, Summary } from '../../processors/core/processor.ts';
import { createExperiment, type ExperimentProcessor } from '../../processors/experiment/processor.ts';
import type { ExperimentState } from '../../processors/experiment/state.ts';
import type { ExperimentAddition, ExperimentTotals } from '../../processors/experiment/totals.ts';
import type { ExperimentContribution, ExperimentEvent, ExperimentResults } from '../../schemas/types.ts';
import { experiment, withExperiments } from '../harness/experiments.ts';

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

/** One document through the processor as the runtime drives it: deadlines up to a record's time first, then the record. */
export class ExperimentDriver {
  readonly processor: ExperimentProcessor;
  state: ExperimentState;
  readonly outputs: Output[] = [];
  readonly totals: ExperimentTotals;
  /** Packs and unpacks the state after every step, as if it were read from the store each time. */
  isRepacking = true;

  constructor(definitions: Definitions = withExperiments([experiment()])) {
    this.processor = createExperiment(definitions);
    this.state = this.processor.initial('acme|button');
    this.totals = this.processor.totals.initial();
  }

  record(at: Instant, after: ExperimentContribution | null, before: ExperimentContribution | null = null): this {
    const now = Math.max(at, this.processor.clock(this.state));
    this.silence(now);
    const outcome = this.processor.onRecord(this.state, experimentEvent({ occurredAt: at, before, after }), now);
    if (outcome.kind !== 'apply') throw new Error(outcome.reason);
    this.#collect(outcome);
    this.processor.advance(this.state, now);
    this.#repack();
    return this;
  }

  /** As many units at once. */
  records(at: Instant, count: number, after: ExperimentContribution): this {
    for (let left = count; left > 0; left--) this.record(at, after);
    return this;
  }

  silence(until: Instant): this {
    for (let due = this.processor.nextDue(this.state); due <= until; due = this.processor.nextDue(this.state)) {
      this.#collect(this.processor.onDue(this.state, due));
      if (this.processor.nextDue(this.state) <= due) throw new Error(`the deadline after ${due} is not later`);
      this.#repack();
    }
    return this;
  }

  end(at: Instant): this {
    const applied = this.processor.atEnd?.(this.state, at);
    if (applied !== undefined) this.#collect(applied);
    this.#repack();
    return this;
  }

  packed(): Buffer {
    const writer = new ByteWriter();
    this.processor.state.pack(this.state, writer);
    return writer.copy();
  }

  get summary(): Summary {
    return this.processor.state.summarize(new ByteReader(this.packed()));
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

  /** Every gauge that is not 0, as `name labels: value`, the brand and experiment left out. */
  get gauges(): Record<string, number> {
    return Object.fromEntries(
      [...this.processor.totals.gauges(this.totals)]
        .filter(({ value }) => value !== 0)
        .map(({ name, labels: { brand: _, experiment: __, ...labels }, value }) => [
          [name, ...Object.values(labels)].join(' '),
          value,
        ]),
    );
  }

  #collect({ outputs, contributions }: Applied<ExperimentAddition>): void {
    for (const output of outputs) if (output !== null) this.outputs.push(output);
    for (const addition of contributions ?? []) this.processor.totals.contribute(this.totals, addition);
  }

  #repack(): void {
    if (this.isRepacking) this.state = this.processor.state.unpack(new ByteReader(this.packed()));
  }
}
