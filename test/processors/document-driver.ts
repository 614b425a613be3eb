import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import type { Applied, Instant, Output, StatefulProcessor, Summary } from '../../processors/core/processor.ts';

/** One document through a processor as the runtime drives it: deadlines up to a record's time first, then the record. */
export class DocumentDriver<State, Value extends object, Totals, Addition> {
  processor: StatefulProcessor<State, Value, Totals, Addition>;
  state: State;
  readonly outputs: Output[] = [];
  readonly outcomes: string[] = [];
  readonly totals: Totals;
  /** Instants of the deadlines that were applied. */
  readonly wakeups: Instant[] = [];
  /** Packs and unpacks the state after every step, as if it were read from the store each time. */
  isRepacking = true;

  /** `totals`: of a partition that several documents share. */
  constructor(processor: StatefulProcessor<State, Value, Totals, Addition>, key: string, totals?: Totals) {
    this.processor = processor;
    this.state = processor.initial(key);
    this.totals = totals ?? processor.totals.initial();
  }

  /** A record of time `at`. */
  take(at: Instant, value: Value): this {
    const now = Math.max(at, this.processor.clock(this.state));
    this.silence(now);
    const outcome = this.processor.onRecord(this.state, value, now);
    this.outcomes.push(outcome.kind === 'apply' ? 'apply' : outcome.reason);
    if (outcome.kind === 'apply') this.#collect(outcome);
    if (outcome.kind === 'skip') this.#collect({ outputs: [], ...outcome, kind: 'apply' });
    if (outcome.kind !== 'reject') this.processor.advance(this.state, now);
    this.#repack();
    return this;
  }

  /** Lets time pass up to `until`. */
  silence(until: Instant): this {
    for (let due = this.processor.nextDue(this.state); due <= until; due = this.processor.nextDue(this.state)) {
      const last = this.wakeups.at(-1) ?? -1;
      if (due < last) throw new Error(`a deadline at ${due} after one at ${last}`);
      this.wakeups.push(due);
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

  /** Every gauge that is not 0, as `name label label: value`, these labels left out. */
  gaugesWithout(...hidden: readonly string[]): Record<string, number> {
    return Object.fromEntries(
      [...this.processor.totals.gauges(this.totals)]
        .filter(({ value }) => value !== 0)
        .map(({ name, labels, value }) => {
          const shown = Object.entries(labels).filter(([label]) => !hidden.includes(label));
          return [[name, ...shown.map(([, text]) => text)].join(' '), value];
        }),
    );
  }

  #collect({ outputs, contributions }: Applied<Addition>): void {
    for (const output of outputs) if (output !== null) this.outputs.push(output);
    for (const addition of contributions ?? []) this.processor.totals.contribute(this.totals, addition);
  }

  #repack(): void {
    if (this.isRepacking) this.state = this.processor.state.unpack(new ByteReader(this.packed()));
  }
}
