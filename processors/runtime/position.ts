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

/** Answers null for a header that is absent or not a position: such a record is always folded. */
export function parsePosition(header: HeaderValue): SourcedPosition | null {
  const value = Array.isArray(header) ? header[0] : header;
  if (value === undefined) return null;
  const text = typeof value === 'string' ? value : value.toString('latin1');
  const colon = text.lastIndexOf(':');
  const dot = text.indexOf('.', colon + 1);
  if (colon <= 0 || dot < 0) return null;
  const n = wholeNumber(text, colon + 1, dot);
  const index = wholeNumber(text, dot + 1, text.length);
  return n < 0 || index < 0 ? null : { source: text.slice(0, colon), n, index };
}

/** The digits of `text` from `start` to `end`, or -1 when there is anything else. */
function wholeNumber(text: string, start: number, end: number): number {
  if (start >= end || end - start > 15) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
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
