import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import { PackedValue, WholeRecordValue, type Applied, type Instant } from '../../processors/core/processor.ts';
import { subjectKey } from '../../processors/core/identity.ts';
import type { CustomerProcessor, Links } from '../../processors/customer/processor.ts';
import type { CustomerState } from '../../processors/customer/state.ts';
import type { CustomerAddition, CustomerTotals } from '../../processors/customer/totals.ts';
import type { CustomerEvent, IdentityStep, Interaction } from '../../schemas/types.ts';
import { published } from '../harness/published-values.ts';
import { interaction } from './intake-fixture.ts';

export const BRAND = 'acme';

/** A record published by customers, as far as tests look at it. */
export interface Published {
  readonly topic: string;
  readonly key: string;
  readonly value: object | null;
  readonly timestamp: Instant;
}

/**
 * Some customers, and what they send each other. `send` puts a record at the end of a subject's input; nothing is folded before
 * `fold` or `foldAll`, so that a test decides what arrives when. States are packed and unpacked after each step.
 */
export class Customers {
  readonly processor: CustomerProcessor;
  readonly published: Published[] = [];
  readonly outcomes: string[] = [];
  readonly totals: CustomerTotals;
  readonly #states = new Map<string, CustomerState>();
  readonly #inputs = new Map<string, { readonly event: CustomerEvent; readonly timestamp: Instant }[]>();
  #events = 0;

  constructor(processor: CustomerProcessor) {
    this.processor = processor;
    this.totals = processor.totals.initial();
  }

  /** An interaction under a subject, at its time, as intake sends it. */
  event(subject: string, at: Instant, changes: Partial<Interaction> = {}): this {
    this.#events += 1;
    const value = interaction({ brandId: BRAND, eventId: `e-${this.#events}`, occurredAt: at, ...changes });
    return this.#put(subject, { kind: 'INTERACTION', interaction: value, identity: null }, at);
  }

  link(weaker: string, stronger: string, at: Instant): this {
    return this.step(weaker, 'LINK', { subject: stronger, via: null, state: null, at }, at);
  }

  unlink(weaker: string, stronger: string, at: Instant): this {
    return this.step(weaker, 'UNLINK', { subject: stronger, via: null, state: null, at }, at);
  }

  erase(subject: string, at: Instant, orderedAt = at): this {
    return this.step(subject, 'ERASE', { subject, via: null, state: null, at: orderedAt }, at);
  }

  step(subject: string, kind: CustomerEvent['kind'], identity: IdentityStep | null, at: Instant): this {
    return this.#put(subject, { kind, interaction: null, identity }, at);
  }

  /** Folds the next record of a subject. */
  fold(subject: string): this {
    const record = this.#inputs.get(subject)?.shift();
    if (record === undefined) throw new Error(`${subject} has nothing to fold`);
    const { processor } = this;
    const state = this.state(subject);
    const now = Math.max(record.timestamp, processor.clock(state));
    this.#due(state, now);
    const outcome = processor.onRecord(state, record.event, now);
    this.outcomes.push(outcome.kind === 'apply' ? 'apply' : outcome.reason);
    if (outcome.kind === 'apply') this.#collect(outcome, record.event);
    if (outcome.kind !== 'reject') processor.advance(state, now);
    this.#keep(subject, state);
    return this;
  }

  /** Folds everything that waits, and what comes of it. */
  foldAll(): this {
    for (let waiting = this.waiting; waiting.length > 0; waiting = this.waiting) {
      for (const subject of waiting) this.fold(subject);
    }
    return this;
  }

  /** Lets time pass for everybody, or for one: as where the partition of the others stands still. */
  silence(until: Instant, only?: string): this {
    for (const [subject, state] of this.#states) {
      if (only !== undefined && subject !== only) continue;
      this.#due(state, until);
      this.#keep(subject, state);
    }
    return this;
  }

  /** Subjects with records that are not folded. */
  get waiting(): string[] {
    return [...this.#inputs].filter(([, input]) => input.length > 0).map(([subject]) => subject);
  }

  state(subject: string): CustomerState {
    let state = this.#states.get(subject);
    if (state === undefined) {
      state = this.processor.initial(subjectKey(BRAND, subject));
      this.#states.set(subject, state);
    }
    return state;
  }

  links(subject: string): Links {
    return this.processor.links(this.state(subject));
  }

  view(subject: string, at: Instant) {
    return this.processor.profileView(this.state(subject), at);
  }

  of<Value>(topic: string, subject: string): (Value | null)[] {
    const key = subjectKey(BRAND, subject);
    return this.published
      .filter((each) => each.topic === topic && each.key === key)
      .map(({ value }) => value as Value | null);
  }

  get gauges(): Record<string, number> {
    return Object.fromEntries(
      [...this.processor.totals.gauges(this.totals)].map(({ labels, value }) => [
        labels['segment'] ?? labels['churn_band'] ?? '',
        value,
      ]),
    );
  }

  #put(subject: string, payload: Omit<CustomerEvent, 'brandId' | 'subject'>, timestamp: Instant): this {
    const input = this.#inputs.get(subject) ?? [];
    input.push({ event: { brandId: BRAND, subject, ...payload }, timestamp });
    this.#inputs.set(subject, input);
    return this;
  }

  #due(state: CustomerState, until: Instant): void {
    for (let due = this.processor.nextDue(state); due <= until; due = this.processor.nextDue(state)) {
      this.#collect(this.processor.onDue(state, due), null);
    }
  }

  #collect({ outputs, contributions }: Applied<CustomerAddition>, record: CustomerEvent | null): void {
    for (const addition of contributions ?? []) this.processor.totals.contribute(this.totals, addition);
    for (const output of outputs) {
      if (output === null) continue;
      const { value } = output;
      const made = value instanceof WholeRecordValue ? value.make(record ?? {}) : value;
      if (output.topic !== 'customer-events.v1') {
        this.published.push({ ...output, value: made instanceof PackedValue ? published(output.topic, made) : made });
        continue;
      }
      const { subject, kind, interaction: told, identity } = made as CustomerEvent;
      this.#put(subject, { kind, interaction: told, identity }, output.timestamp);
    }
  }

  #keep(subject: string, state: CustomerState): void {
    const writer = new ByteWriter();
    this.processor.state.pack(state, writer);
    this.#states.set(subject, this.processor.state.unpack(new ByteReader(writer.copy())));
  }
}
