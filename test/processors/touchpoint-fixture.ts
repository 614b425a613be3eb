import type { Definitions } from '../../processors/core/definitions.ts';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import type { Applied, Instant, Output, Summary } from '../../processors/core/processor.ts';
import { touchpointKey } from '../../processors/core/touchpoint-key.ts';
import { createTouchpoint, type TouchpointProcessor } from '../../processors/touchpoint/processor.ts';
import type { TouchpointState } from '../../processors/touchpoint/state.ts';
import type { TouchpointTotals } from '../../processors/touchpoint/shown-touchpoints.ts';
import type { TouchpointAddition } from '../../processors/touchpoint/totals.ts';
import type { CaseChanged, TouchpointAlertChanged, TouchpointEvent, TouchpointScores } from '../../schemas/types.ts';
import { definitionsWith } from '../harness/definition-sets.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** 00:00 UTC. */
export const MIDNIGHT = Date.UTC(2026, 4, 1);
export const T = MIDNIGHT + 10 * HOUR + 7 * MINUTE;

/** An answer of NPS 9 about the checkout, with `changes`. */
export function touchpointEvent(changes: Partial<TouchpointEvent> = {}): TouchpointEvent {
  return {
    brandId: 'acme',
    touchpoint: 'checkout',
    channel: 'WEB',
    subject: 'u:1',
    kind: 'SCORE',
    eventId: 'event-1',
    occurredAt: T,
    metric: 'NPS',
    value: 9,
    surveyId: null,
    caseId: null,
    issuedBy: null,
    reason: null,
    sentiment: null,
    ...changes,
  };
}

/** One document through the processor as the runtime drives it: deadlines up to a record's time first, then the record. */
export class TouchpointDriver {
  readonly processor: TouchpointProcessor;
  state: TouchpointState;
  readonly outputs: Output[] = [];
  readonly outcomes: string[] = [];
  readonly totals: TouchpointTotals;
  /** Instants of the deadlines that were applied. */
  readonly wakeups: Instant[] = [];
  /** Packs and unpacks the state after every step, as if it were read from the store each time. */
  isRepacking = true;
  #events = 0;

  /** `last`: the channel, or the subject of a case. */
  constructor(last = 'WEB', definitions: Definitions = definitionsWith({}), touchpoint = 'checkout') {
    this.processor = createTouchpoint(definitions);
    this.state = this.processor.initial(touchpointKey('acme', touchpoint, last));
    this.totals = this.processor.totals.initial();
  }

  /** A record of time `at`, by default of something that happened then, each time by another customer. */
  record(at: Instant, changes: Partial<TouchpointEvent> = {}): this {
    this.#events += 1;
    const now = Math.max(at, this.processor.clock(this.state));
    this.silence(now);
    const { touchpoint } = this.state;
    const value = touchpointEvent({ eventId: `event-${this.#events}`, occurredAt: at, touchpoint, ...changes });
    const outcome = this.processor.onRecord(this.state, value, now);
    this.outcomes.push(outcome.kind === 'apply' ? 'apply' : outcome.reason);
    if (outcome.kind === 'apply') this.#collect(outcome);
    if (outcome.kind !== 'reject') this.processor.advance(this.state, now);
    this.#repack();
    return this;
  }

  /** Lets time pass up to `until`. */
  silence(until: Instant): this {
    for (let due = this.processor.nextDue(this.state); due <= until; due = this.processor.nextDue(this.state)) {
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

  get scores(): TouchpointScores[] {
    return this.#of('touchpoint-scores.v1');
  }

  get alerts(): TouchpointAlertChanged[] {
    return this.#of('touchpoint-alerts.v1');
  }

  get cases(): CaseChanged[] {
    return this.#of('cases.v1');
  }

  /** Every gauge that is not 0, as `name label label: value`, the brand and touchpoint left out. */
  get gauges(): Record<string, number> {
    return Object.fromEntries(
      [...this.processor.totals.gauges(this.totals)]
        .filter(({ value }) => value !== 0)
        .map(({ name, labels: { brand: _, touchpoint: __, ...labels }, value }) => [
          [name, ...Object.values(labels)].join(' '),
          value,
        ]),
    );
  }

  #of<Value>(topic: string): Value[] {
    return this.outputs.filter((output) => output.topic === topic).map(({ value }) => value as Value);
  }

  #collect({ outputs, contributions }: Applied<TouchpointAddition>): void {
    for (const output of outputs) if (output !== null) this.outputs.push(output);
    for (const addition of contributions ?? []) this.processor.totals.contribute(this.totals, addition);
  }

  #repack(): void {
    if (this.isRepacking) this.state = this.processor.state.unpack(new ByteReader(this.packed()));
  }
}
