import {
  fingerprint,
  FINGERPRINT_BYTES,
  readFingerprint,
  writeFingerprint,
  type Fingerprint,
} from '../core/fingerprint.ts';
import { ByteReader } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { leavesAt, RINGS, slotAt } from '../core/window.ts';
import type { Gathering } from './gathering.ts';
import { ALL_SPANS, countWithin } from './windows.ts';

/** So many different values are told apart; more count as so many. */
export const DISTINCT_MAX = 64;

/**
 * The different values seen last, newest first, each with the last time it was seen: those in a window are those last seen in
 * it, so every window up to DISTINCT_MAX is exact. Values are remembered as fingerprints.
 */
export interface Distinct {
  readonly ats: Instant[];
  readonly prints: Fingerprint[];
}

const glanced: Distinct = { ats: [], prints: [] };
const reader = new ByteReader(Buffer.alloc(0));

export const distincts: Gathering<Distinct> = {
  initial: () => ({ ats: [], prints: [] }),

  add(summary, at, value) {
    see(summary, at, fingerprint(String(value)));
  },

  valueIn(summary, span, now) {
    return span === null ? summary.ats.length : countWithin(summary.ats, span, now);
  },

  valuesIn(summary, now, into) {
    let count = 0;
    for (let index = 0; index < ALL_SPANS.length; index++) {
      const span = ALL_SPANS[index] ?? null;
      count = span === null ? summary.ats.length : countWithin(summary.ats, span, now, count);
      into[index] = count;
    }
  },

  nextChange(summary, span, now, isOther) {
    const ring = RINGS[span.ring];
    for (let left = countWithin(summary.ats, span, now); left > 0;) {
      const slot = slotAt(ring, summary.ats[left - 1] ?? 0);
      while (left > 0 && slotAt(ring, summary.ats[left - 1] ?? 0) === slot) left -= 1;
      if (isOther(left)) return leavesAt(span, slot);
    }
    return NEVER;
  },

  merge(into, other) {
    for (const [index, at] of other.ats.entries()) see(into, at, other.prints[index] ?? 0);
  },

  read(bytes, start, end) {
    reader.reset(bytes, start, end);
    const summary: Distinct = { ats: [], prints: [] };
    let at = 0;
    while (!reader.done) {
      at = summary.ats.length === 0 ? reader.uint() : at - reader.uint();
      summary.ats.push(at);
      summary.prints.push(readFingerprint(reader));
    }
    return summary;
  },

  glance(bytes, start, end) {
    reader.reset(bytes, start, end);
    const { ats } = glanced;
    ats.length = 0;
    let at = 0;
    while (!reader.done) {
      at = ats.length === 0 ? reader.uint() : at - reader.uint();
      ats.push(at);
      reader.skip(FINGERPRINT_BYTES);
    }
    return glanced;
  },

  write({ ats, prints }, writer) {
    for (const [index, at] of ats.entries()) {
      writer.uint(index === 0 ? at : (ats[index - 1] ?? 0) - at);
      writeFingerprint(prints[index] ?? 0, writer);
    }
  },
};

/** Of values seen at the same millisecond the order is that of their fingerprints, so that it never depends on arrival. */
function see({ ats, prints }: Distinct, at: Instant, print: Fingerprint): void {
  const known = prints.indexOf(print);
  if (known >= 0) {
    if ((ats[known] ?? 0) >= at) return;
    ats.splice(known, 1);
    prints.splice(known, 1);
  }
  let place = 0;
  while (place < ats.length) {
    const other = ats[place] ?? 0;
    if (other < at || (other === at && (prints[place] ?? 0) < print)) break;
    place += 1;
  }
  ats.splice(place, 0, at);
  prints.splice(place, 0, print);
  if (ats.length <= DISTINCT_MAX) return;
  ats.length = DISTINCT_MAX;
  prints.length = DISTINCT_MAX;
}
