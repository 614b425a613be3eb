import type { ByteWriter } from '../core/packing.ts';
import type { Instant } from '../core/processor.ts';
import type { Span } from '../core/window.ts';
import type { FeatureValue } from './features.ts';

/** What a measure of a brand's own is worth for one event: 1 for a count. */
export type Gathered = number | string;

/**
 * How the events of one measure are summed up. A summary of several events never depends on the order in which they came;
 * two summaries of different events merge into that of all of them, but one cannot be taken out of another again.
 */
export interface Gathering<Summary> {
  initial(): Summary;
  /** Adds an event that happened at `at` ≤ `now`. */
  add(summary: Summary, at: Instant, value: Gathered, now: Instant): void;
  /** Over a window at `now`; over the whole life for null. */
  valueIn(summary: Summary, span: Span | null, now: Instant): FeatureValue;
  /** Over every window at `now` into `into`, in the order of WINDOWS. */
  valuesIn(summary: Summary, now: Instant, into: FeatureValue[]): void;
  /** The first instant after `now` at which silence makes `isOther` true of the value over the window; NEVER if none. */
  nextChange(summary: Summary, span: Span, now: Instant, isOther: (value: FeatureValue) => boolean): Instant;
  merge(into: Summary, other: Summary, now: Instant): void;
  /** Reads what `write` wrote, bytes `start` to `end`, and may keep a view into it. */
  read(bytes: Buffer, start: number, end: number): Summary;
  /** The same for `valuesIn` and no more: until the next glance, and without what that does not look at. */
  glance(bytes: Buffer, start: number, end: number): Summary;
  write(summary: Summary, writer: ByteWriter): void;
}
