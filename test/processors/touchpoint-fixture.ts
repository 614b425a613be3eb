import type { Definitions } from '../../processors/core/definitions.ts';
import type { Instant } from '../../processors/core/processor.ts';
import { touchpointKey } from '../../processors/core/touchpoint-key.ts';
import { createTouchpoint } from '../../processors/touchpoint/processor.ts';
import type { TouchpointState } from '../../processors/touchpoint/state.ts';
import type { TouchpointTotals } from '../../processors/touchpoint/shown-touchpoints.ts';
import type { TouchpointAddition } from '../../processors/touchpoint/totals.ts';
import type { CaseChanged, TouchpointAlertChanged, TouchpointEvent, TouchpointScores } from '../../schemas/types.ts';
import { definitionsWith } from '../harness/definition-sets.ts';
import { DocumentDriver } from './document-driver.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** 00:00 UTC. */
export const MIDNIGHT = Date.UTC(2026, 4, 1);
export const T = MIDNIGHT + 10 * HOUR + 7 * MINUTE;

/** A survey of effort, id `ease`, on a scale of its own. */
export const EASE = {
  id: 'ease',
  brands: ['acme'],
  metric: 'CES',
  min: 1,
  max: 7,
  good: 'high',
  satisfiedFrom: 6,
  dissatisfiedFrom: 3,
  file: '',
} as const;

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

/** One document of touchpoints. */
export class TouchpointDriver extends DocumentDriver<
  TouchpointState,
  TouchpointEvent,
  TouchpointTotals,
  TouchpointAddition
> {
  #events = 0;

  /** `last`: the channel, or the subject of a case. */
  constructor(last = 'WEB', definitions: Definitions = definitionsWith({}), touchpoint = 'checkout') {
    super(createTouchpoint(definitions), touchpointKey('acme', touchpoint, last));
  }

  /** A record of time `at`, by default of something that happened then, each time by another customer. */
  record(at: Instant, changes: Partial<TouchpointEvent> = {}): this {
    this.#events += 1;
    const { touchpoint } = this.state;
    return this.take(at, touchpointEvent({ eventId: `event-${this.#events}`, occurredAt: at, touchpoint, ...changes }));
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

  /** The brand and the touchpoint left out. */
  get gauges(): Record<string, number> {
    return this.gaugesWithout('brand', 'touchpoint');
  }

  #of<Value>(topic: string): Value[] {
    return this.outputs.filter((output) => output.topic === topic).map(({ value }) => value as Value);
  }
}
