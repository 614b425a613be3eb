import type { HeaderValue, Position, TopicPartition } from './ports.ts';

/**
 * Where a record stands among those of its source, as written in the header `position`:
 * `<group>@<epoch>/<topic>/<partition>:<n>.<index>`, names without prefix. Into any one partition a source's positions
 * arrive in order and without gaps, apart from repeats: so one remembered position for each source tells every repeat.
 */
export const POSITION_HEADER = 'position';

/** The epoch of a source that never went on after a loss. */
export const FIRST_EPOCH = 1;

export interface SourcedPosition extends Position {
  readonly source: string;
}

/** The part before the colon. */
export function sourceOf(group: string, epoch: number, at: TopicPartition): string {
  return `${group}@${epoch}/${at.topic}/${at.partition}`;
}

export function formatPosition(source: string, n: number, index: number): string {
  return `${source}:${n}.${index}`;
}

interface KnownSource {
  readonly bytes: Buffer;
  readonly source: string;
}

// Nearly every header is of a source seen a moment ago: told by its bytes, so that no text is made of them.
const known: KnownSource[] = [];
const KNOWN_MAX = 64;
const COLON = 58;
const DOT = 46;

/** Answers null for a header that is absent or not a position: such a record is always folded. */
export function parsePosition(header: HeaderValue): SourcedPosition | null {
  const value = Array.isArray(header) ? header[0] : header;
  if (value === undefined) return null;
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  const dot = digitsBefore(bytes, bytes.length);
  if (bytes[dot] !== DOT) return null;
  const colon = digitsBefore(bytes, dot);
  if (bytes[colon] !== COLON || colon === 0) return null;
  const n = wholeNumber(bytes, colon + 1, dot);
  const index = wholeNumber(bytes, dot + 1, bytes.length);
  return n < 0 || index < 0 ? null : { source: sourceFrom(bytes, colon), n, index };
}

/** Where the digits that end at `end` are preceded by something else. */
function digitsBefore(bytes: Buffer, end: number): number {
  let at = end - 1;
  for (let byte = bytes[at]; byte !== undefined && byte >= 48 && byte <= 57; byte = bytes[at]) at--;
  return at;
}

/** The digits from `start` to `end` as a number, or -1 when there are none or too many. */
function wholeNumber(bytes: Buffer, start: number, end: number): number {
  if (start >= end || end - start > 15) return -1;
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + (bytes[at] ?? 0) - 48;
  return value;
}

function sourceFrom(bytes: Buffer, length: number): string {
  for (const each of known) if (startsWith(bytes, each.bytes, length)) return each.source;
  const source = bytes.toString('utf8', 0, length);
  if (known.length >= KNOWN_MAX) known.length = 0;
  known.push({ bytes: Buffer.from(bytes.subarray(0, length)), source });
  return source;
}

/** From the end: sources differ in the number of their partition. */
function startsWith(bytes: Buffer, source: Buffer, length: number): boolean {
  if (source.length !== length) return false;
  for (let at = length - 1; at >= 0; at--) if (bytes[at] !== source[at]) return false;
  return true;
}

/** The group that wrote a source: `kizuna.intake.v1` of `kizuna.intake.v1@1/interactions.v1/3`. */
export function groupOf(source: string): string {
  const at = source.indexOf('@');
  return at < 0 ? source : source.slice(0, at);
}

/** Whether a position is not beyond the last one folded of its source: a repeat. */
export function isRepeat(last: Position | undefined, position: Position): boolean {
  return last !== undefined && (position.n < last.n || (position.n === last.n && position.index <= last.index));
}
