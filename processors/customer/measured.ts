import type { ByteReader } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import type { Span } from '../core/window.ts';
import type { FeatureValue } from './features.ts';
import type { OpenState } from './open-state.ts';
import type { Part } from './parts.ts';
import type { UserMeasure } from './user-measures.ts';

/** What was gathered for one measure of a brand's own. */
export interface Measured {
  /** When the first watched window or age of it flips by itself. */
  due: Instant;
  /** The latest event that counted. */
  lastAt: Instant;
  /** As it came, bytes `start` to `end`. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Unpacked once it was asked for; null until then. */
  summary: unknown;
  measure: UserMeasure | null;
  /** The summary is not what the bytes say: whoever changes it says so. */
  isChanged: boolean;
}

const NO_BYTES = Buffer.alloc(0);

/** By key of the measure. */
export type MeasuredByKey = Map<number, Measured>;

/**
 * The measures of a brand's own that a customer has events of:  key · due, 0 for never · last event · length · summary  for
 * each, unpacked one by one. At most USER_MEASURES_MAX of the definitions in force; others go when definitions change.
 */
export const MEASURED: Part<MeasuredByKey> = {
  id: 60,
  initial: () => new Map(),
  read(reader: ByteReader) {
    const measured: MeasuredByKey = new Map();
    while (!reader.done) {
      const key = reader.uint();
      const due = reader.uint();
      const lastAt = reader.uint();
      const length = reader.uint();
      const start = reader.position;
      reader.skip(length);
      measured.set(key, {
        due: due === 0 ? NEVER : due,
        lastAt,
        bytes: reader.source,
        start,
        end: start + length,
        summary: null,
        measure: null,
        isChanged: false,
      });
    }
    return measured;
  },
  write(measured, writer) {
    for (const [key, { due, lastAt, bytes, start, end, summary, measure, isChanged }] of measured) {
      writer.uint(key);
      writer.uint(due === NEVER ? 0 : due);
      writer.uint(lastAt);
      if (!isChanged) {
        writer.uint(end - start);
        writer.raw(bytes, start, end);
        continue;
      }
      const begun = writer.begin();
      measure?.gathering.write(summary, writer);
      writer.end(begun);
    }
  },
  nextDue(measured) {
    let due = NEVER;
    for (const each of measured.values()) if (each.due < due) due = each.due;
    return due;
  },
};

/** What was gathered for the measure, unpacked; a new one when there was nothing. Whoever changes it marks it as changed. */
export function openMeasured(measured: MeasuredByKey, measure: UserMeasure): Measured {
  let own = measured.get(measure.key);
  if (own === undefined) {
    const summary = measure.gathering.initial();
    own = { due: NEVER, lastAt: -1, bytes: NO_BYTES, start: 0, end: 0, summary, measure, isChanged: true };
    measured.set(measure.key, own);
  } else if (own.summary === null) {
    own.summary = measure.gathering.read(own.bytes, own.start, own.end);
    own.measure = measure;
  }
  return own;
}

/** Adds what another customer of the brand gathered. What was packed under other definitions is left out. */
export function mergeMeasured(
  into: MeasuredByKey,
  other: MeasuredByKey,
  measures: readonly UserMeasure[],
  now: Instant,
): void {
  for (const measure of measures) {
    if (!other.has(measure.key)) continue;
    const theirs = openMeasured(other, measure);
    const own = openMeasured(into, measure);
    measure.gathering.merge(own.summary, theirs.summary, now);
    own.isChanged = true;
    own.lastAt = Math.max(own.lastAt, theirs.lastAt);
    // Found anew by whoever merges: everything of the customer must be evaluated.
    own.due = NEVER;
  }
}

/** What a customer who has no event of the measure is shown. */
export function valueOfNothing({ domain }: UserMeasure): FeatureValue {
  return domain.optional ? undefined : 0;
}

/** The measure over a window at `now`, or over the whole life. */
export function measuredValue(open: OpenState, measure: UserMeasure, span: Span | null, now: Instant): FeatureValue {
  const measured = open.parts.has(MEASURED) ? open.parts.get(MEASURED) : null;
  if (measured === null || !measured.has(measure.key)) return valueOfNothing(measure);
  return measure.gathering.valueIn(openMeasured(measured, measure).summary, span, now);
}

/** The latest event of the measure; −1: there was none. */
export function measuredLastAt(open: OpenState, { key }: UserMeasure): Instant {
  return open.parts.has(MEASURED) ? (open.parts.get(MEASURED).get(key)?.lastAt ?? -1) : -1;
}
