import { takeFromBrand } from '../../processors/customer/settle-brand.ts';
import { OpenState } from '../../processors/customer/open-state.ts';
import type {
  ChurnModelDefinition,
  Definitions,
  JourneySettings,
  TriggerSettings,
} from '../../processors/core/definitions.ts';
import { ByteWriter } from '../../processors/core/packing.ts';
import type { Instant } from '../../processors/core/processor.ts';
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
  TriggerChanged,
} from '../../schemas/types.ts';
import { definitionsWith, JOURNEY_SETTINGS, NO_TRIGGERS } from '../harness/definition-sets.ts';
import { published } from '../harness/published-values.ts';
import { everyAmount } from '../harness/window-amounts.ts';
import { DocumentDriver } from './document-driver.ts';
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

/** As `definitions` without segments, with these triggers alone for brand `acme`. */
export function definitionsWithTriggers(changes: Partial<TriggerSettings>, hash = 'definitions-1'): Definitions {
  return { ...definitions({}, hash), triggers: new Map([['acme', { ...NO_TRIGGERS, ...changes }]]) };
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

/** One customer. */
export class CustomerDriver extends DocumentDriver<CustomerState, CustomerEvent, CustomerTotals, CustomerAddition> {
  declare processor: CustomerProcessor;
  readonly key: string;
  #events = 0;

  /** `totals`: of a partition that several customers share. */
  constructor(definitionsOrProcessor: Definitions | CustomerProcessor, subject = 'u:1', totals?: CustomerTotals) {
    const key = `acme|${subject}`;
    super(
      'onRecord' in definitionsOrProcessor ? definitionsOrProcessor : createCustomer(definitionsOrProcessor),
      key,
      totals,
    );
    this.key = key;
  }

  /** A record of time `at`, by default of something that happened then. */
  record(at: Instant, changes: Partial<Interaction> = {}): this {
    this.#events += 1;
    return this.take(at, event({ eventId: `event-${this.#events}`, occurredAt: at, ...changes }, this.state.subject));
  }

  view(at: Instant) {
    return this.processor.profileView(this.state, at);
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

  get triggers(): TriggerChanged[] {
    return this.#of('triggers.v1');
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
}

/** What a partition's documents of a brand say at `now`, nothing left out, by dimension and value. */
export function partials(totals: CustomerTotals, now: Instant): Record<string, Readonly<Record<string, number>>> {
  return Object.fromEntries(
    allOf(totals, now).map(({ dimension, value, amounts }) => [`${dimension} ${value}`, amounts]),
  );
}

/** The same of every window (window-amounts.ts). */
export function everyPartial(totals: CustomerTotals, now: Instant): Record<string, Readonly<Record<string, number>>> {
  return Object.fromEntries(
    allOf(totals, now).map((partial) => [`${partial.dimension} ${partial.value}`, everyAmount(partial)]),
  );
}

function allOf(totals: CustomerTotals, now: Instant): BrandPartial[] {
  for (const document of totals.documents.byKey.values()) totals.documents.unsent.add(document);
  const outputs = customerTotals.ledger?.publish(totals, now, 0) ?? [];
  return outputs.map(({ value }) => value as BrandPartial);
}

/** What a customer keeps of one part. */
export function bytesOf<Value>({ state }: CustomerDriver, part: Part<Value>): number {
  const parts = new OpenParts();
  parts.open(state.parts);
  const writer = new ByteWriter();
  if (parts.has(part)) part.write(parts.get(part), writer);
  return writer.length;
}

/** As a merge or an erasure begins. */
export function takeOut(driver: CustomerDriver): void {
  const open = new OpenState();
  const contributions: CustomerAddition[] = [];
  open.open(driver.state);
  takeFromBrand({ state: driver.state, open, now: driver.state.at, contributions });
  open.keepIn(driver.state);
  for (const addition of contributions) driver.processor.totals.contribute(driver.totals, addition);
}
