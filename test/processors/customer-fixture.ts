import type { ChurnModelDefinition, Definitions, JourneySettings } from '../../processors/core/definitions.ts';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import type { Applied, Instant, Output } from '../../processors/core/processor.ts';
import { churnModelOf } from '../../processors/customer/churn-model.ts';
import { churnProbability } from '../../processors/customer/churn-risk.ts';
import { OpenParts, type Part } from '../../processors/customer/parts.ts';
import { createCustomer, type CustomerProcessor } from '../../processors/customer/processor.ts';
import type { CustomerState } from '../../processors/customer/state.ts';
import { customerTotals, type CustomerAddition, type CustomerTotals } from '../../processors/customer/totals.ts';
import type {
  BrandPartial,
  ChurnRiskChanged,
  CustomerEvent,
  CustomerTraits,
  Interaction,
  JourneyChanged,
  SegmentMembershipsChanged,
} from '../../schemas/types.ts';
import { definitionsWith, JOURNEY_SETTINGS } from '../harness/definition-sets.ts';
import { published } from '../harness/published-values.ts';
import { interaction } from './intake-fixture.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** 00:00 UTC. */
export const MIDNIGHT = Date.UTC(2026, 4, 1);

const WEEK = 7 * DAY;

/** BTYDplus' fit of MBG/NBD to the CDNOW sample, for brand `acme`. */
export function churnModel(): ChurnModelDefinition {
  const model: ChurnModelDefinition = {
    brandId: 'acme',
    model: 'mbg-nbd',
    horizonDays: 90,
    parameters: { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 },
    baseline: { probability: 0, x: 1, tx: 1, T: 2 },
    fittedAt: '2026-01-01',
    quality: {},
    version: 'model-hash',
    file: 'churn/acme.json',
  };
  const stats = { x: 1, firstOrderAt: 0, lastOrderAt: WEEK };
  const probability = churnProbability(churnModelOf(model), stats, 2 * WEEK);
  return { ...model, baseline: { ...model.baseline, probability } };
}

export function definitions(segments: Record<string, Record<string, unknown>>, hash = 'definitions-1'): Definitions {
  return { ...definitionsWith(segments, [churnModel()]), hash };
}

/** As `definitions`, with the shipped journey unless `changes` says otherwise. */
export function definitionsWithJourney(
  segments: Record<string, Record<string, unknown>> = {},
  changes: Partial<JourneySettings> = {},
): Definitions {
  return { ...definitions(segments), defaultJourney: { ...JOURNEY_SETTINGS, ...changes } };
}

export function event(changes: Partial<Interaction>, subject = 'u:1'): CustomerEvent {
  return {
    brandId: 'acme',
    subject,
    kind: 'INTERACTION',
    interaction: interaction({ brandId: 'acme', ...changes }),
    identity: null,
  };
}

export interface MembershipLine {
  at: Instant;
  cause: string;
  changes: string[];
  members: string[];
}

/** One customer through the processor as the runtime drives it: deadlines up to a record's time first, then the record. */
export class CustomerDriver {
  readonly key: string;
  processor: CustomerProcessor;
  state: CustomerState;
  readonly outputs: Output[] = [];
  readonly outcomes: string[] = [];
  readonly totals: CustomerTotals;
  /** Instants of the deadlines that were applied. */
  readonly wakeups: Instant[] = [];
  /** Packs and unpacks the state after every step, as if it were read from the store each time. */
  isRepacking = true;
  #events = 0;

  /** `totals`: of a partition that several customers share. */
  constructor(definitionsOrProcessor: Definitions | CustomerProcessor, subject = 'u:1', totals?: CustomerTotals) {
    this.processor =
      'onRecord' in definitionsOrProcessor ? definitionsOrProcessor : createCustomer(definitionsOrProcessor);
    this.key = `acme|${subject}`;
    this.state = this.processor.initial(this.key);
    this.totals = totals ?? this.processor.totals.initial();
  }

  /** A record of time `at`, by default of something that happened then. */
  record(at: Instant, changes: Partial<Interaction> = {}): this {
    this.#events += 1;
    const now = Math.max(at, this.processor.clock(this.state));
    this.silence(now);
    const value = event({ eventId: `event-${this.#events}`, occurredAt: at, ...changes }, this.state.subject);
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

  view(at: Instant) {
    return this.processor.profileView(this.state, at);
  }

  packed(): Buffer {
    const writer = new ByteWriter();
    this.processor.state.pack(this.state, writer);
    return writer.copy();
  }

  get memberships(): MembershipLine[] {
    return this.#of<SegmentMembershipsChanged>('segment-memberships.v1').map(
      ({ occurredAt, cause, changes, members }) => ({
        at: occurredAt,
        cause,
        changes: changes.map(({ change, segmentId }) => (change === 'ENTERED' ? '+' : '-') + segmentId),
        members,
      }),
    );
  }

  get churn(): ChurnRiskChanged[] {
    return this.#of('churn-risk.v1');
  }

  get traits(): CustomerTraits[] {
    return this.#of('customer-traits.v1');
  }

  /** Every move, as `from > to (rule)`, with its time. */
  journey(axis: 'STAGE' | 'LIFECYCLE'): [Instant, string, string][] {
    return this.#of<JourneyChanged>('journey-stages.v1')
      .filter((change) => change.axis === axis)
      .map(({ occurredAt, cause, from, to, rule }) => [occurredAt, cause, `${from ?? ''} > ${to} (${rule})`]);
  }

  /** `segment_members` and `customers` as `label: value`. */
  get gauges(): Record<string, number> {
    return Object.fromEntries(
      [...this.processor.totals.gauges(this.totals)].map(({ name, labels, value }) => [
        labels['segment'] ?? labels['churn_band'] ?? labels['journey_stage'] ?? labels['lifecycle'] ?? name,
        value,
      ]),
    );
  }

  #of<T>(topic: string): T[] {
    return this.outputs
      .filter((output) => output.topic === topic)
      .map(({ value }) => published(topic, value ?? {}) as T);
  }

  #collect({ outputs, contributions }: Applied<CustomerAddition>): void {
    for (const output of outputs) if (output !== null) this.outputs.push(output);
    for (const addition of contributions ?? []) this.processor.totals.contribute(this.totals, addition);
  }

  #repack(): void {
    if (this.isRepacking) this.state = this.processor.state.unpack(new ByteReader(this.packed()));
  }
}

/** What a partition's documents of a brand say at `now`, nothing left out, by dimension and value. */
export function partials(totals: CustomerTotals, now: Instant): Record<string, Readonly<Record<string, number>>> {
  for (const document of totals.documents.byKey.values()) totals.documents.unsent.add(document);
  const outputs = customerTotals.ledger?.publish(totals, now, 0) ?? [];
  return Object.fromEntries(
    outputs
      .map(({ value }) => value as BrandPartial)
      .map(({ dimension, value, amounts }) => [`${dimension} ${value}`, amounts]),
  );
}

/** What a customer keeps of one part. */
export function bytesOf<Value>({ state }: CustomerDriver, part: Part<Value>): number {
  const parts = new OpenParts();
  parts.open(state.parts);
  const writer = new ByteWriter();
  if (parts.has(part)) part.write(parts.get(part), writer);
  return writer.length;
}
