import { ByteReader } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { leavesAt, oldestSlot, RINGS, slotAt } from '../core/window.ts';
import type { Gathering } from './gathering.ts';
import { ALL_SPANS, countWithin } from './windows.ts';

/**
 * The least or greatest value of any window: only values that some window can still show are kept, newest first. A value
 * with a later one beside it that is at least as extreme never shows, so each is more extreme than those before it; and of
 * values that no window tells apart by time only the most extreme is kept. At most one for each tile of each ring: 548.
 */
export interface Extremes {
  readonly ats: Instant[];
  readonly values: number[];
  /** Since ever; null: none yet. */
  lifetime: number | null;
}

const glanced: Extremes = { ats: [], values: [], lifetime: null };
const reader = new ByteReader(Buffer.alloc(0));

export const minima = extremes((value, other) => value < other);
export const maxima = extremes((value, other) => value > other);

function extremes(isMore: (value: number, other: number) => boolean): Gathering<Extremes> {
  const gathering: Gathering<Extremes> = {
    initial: () => ({ ats: [], values: [], lifetime: null }),

    add(summary, at, gathered, now) {
      const value = Number(gathered);
      if (summary.lifetime === null || isMore(value, summary.lifetime)) summary.lifetime = value;
      insert(summary, at, value, isMore);
      compact(summary, now);
    },

    valueIn(summary, span, now) {
      if (span === null) return summary.lifetime ?? undefined;
      return summary.values[countWithin(summary.ats, span, now) - 1];
    },

    valuesIn(summary, now, into) {
      let count = 0;
      for (let index = 0; index < ALL_SPANS.length; index++) {
        const span = ALL_SPANS[index] ?? null;
        if (span === null) {
          into[index] = summary.lifetime ?? undefined;
          continue;
        }
        count = countWithin(summary.ats, span, now, count);
        into[index] = summary.values[count - 1];
      }
    },

    nextChange(summary, span, now, isOther) {
      const ring = RINGS[span.ring];
      for (let left = countWithin(summary.ats, span, now); left > 0;) {
        const slot = slotAt(ring, summary.ats[left - 1] ?? 0);
        while (left > 0 && slotAt(ring, summary.ats[left - 1] ?? 0) === slot) left -= 1;
        if (isOther(summary.values[left - 1])) return leavesAt(span, slot);
      }
      return NEVER;
    },

    merge(into, other, now) {
      for (let index = 0; index < other.ats.length; index++) {
        gathering.add(into, other.ats[index] ?? 0, other.values[index] ?? 0, now);
      }
      const { lifetime } = other;
      if (lifetime !== null && (into.lifetime === null || isMore(lifetime, into.lifetime))) into.lifetime = lifetime;
    },

    read: (bytes, start, end) => readExtremes({ ats: [], values: [], lifetime: null }, bytes, start, end),
    glance: (bytes, start, end) => readExtremes(glanced, bytes, start, end),

    write({ ats, values, lifetime }, writer) {
      writer.int(lifetime ?? 0);
      for (const [index, at] of ats.entries()) {
        writer.uint(index === 0 ? at : (ats[index - 1] ?? 0) - at);
        writer.int(values[index] ?? 0);
      }
    },
  };
  return gathering;
}

function readExtremes(summary: Extremes, bytes: Buffer, start: number, end: number): Extremes {
  const { ats, values } = summary;
  reader.reset(bytes, start, end);
  summary.lifetime = reader.int();
  ats.length = 0;
  values.length = 0;
  let at = 0;
  while (!reader.done) {
    at = ats.length === 0 ? reader.uint() : at - reader.uint();
    ats.push(at);
    values.push(reader.int());
  }
  return summary;
}

/** Puts a value in its place, unless a later one outdoes it, and takes out the earlier ones that it outdoes. */
function insert(
  { ats, values }: Extremes,
  at: Instant,
  value: number,
  isMore: (value: number, other: number) => boolean,
): void {
  let place = 0;
  while (place < ats.length && (ats[place] ?? 0) > at) place += 1;
  const later = ats[place] === at ? place : place - 1;
  if (later >= 0 && !isMore(value, values[later] ?? 0)) return;
  let outdone = place;
  while (outdone < ats.length && !isMore(values[outdone] ?? 0, value)) outdone += 1;
  ats.splice(place, outdone - place, at);
  values.splice(place, outdone - place, value);
}

/** Forgets what is beyond the day ring, and the later of two that lie in one tile of every ring that still holds both. */
function compact({ ats, values }: Extremes, now: Instant): void {
  const [minutes, hours, days] = RINGS;
  const beyond = oldestSlot(days, now);
  for (let index = ats.length - 1; index >= 0; index--) {
    const at = ats[index] ?? 0;
    const earlier = ats[index + 1];
    const ring =
      slotAt(minutes, at) >= oldestSlot(minutes, now)
        ? minutes
        : slotAt(hours, at) >= oldestSlot(hours, now)
          ? hours
          : days;
    const isShown = earlier === undefined || slotAt(ring, earlier) !== slotAt(ring, at);
    if (isShown && slotAt(days, at) >= beyond) continue;
    ats.splice(index, 1);
    values.splice(index, 1);
  }
}
