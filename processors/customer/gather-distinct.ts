import { fingerprint, readFingerprint, writeFingerprint, type Fingerprint } from '../core/fingerprint.ts';
import { ByteReader } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { firstSlot, leavesAt, RINGS, slotAt, type Ring } from '../core/window.ts';
import { windowByWindow, type Gathering } from './gathering.ts';

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

const reader = new ByteReader(Buffer.alloc(0));

export const distincts: Gathering<Distinct> = {
  initial: () => ({ ats: [], prints: [] }),

  add(summary, at, value) {
    see(summary, at, fingerprint(String(value)));
  },

  valueIn(summary, span, now) {
    return span === null ? summary.ats.length : countSince(summary, RINGS[span.ring], firstSlot(span, now));
  },

  valuesIn(summary, now, into) {
    windowByWindow(distincts, summary, now, into);
  },

  nextChange(summary, span, now, isOther) {
    const ring = RINGS[span.ring];
    for (let left = countSince(summary, ring, firstSlot(span, now)); left > 0;) {
      const slot = slotAt(ring, summary.ats[left - 1] ?? 0);
      left = countSince(summary, ring, slot + 1);
      if (isOther(left)) return leavesAt(span, slot);
    }
    return NEVER;
  },

  merge(into, other) {
    for (const [index, at] of other.ats.entries()) see(into, at, other.prints[index] ?? 0);
  },

  read(bytes) {
    reader.reset(bytes);
    const summary: Distinct = { ats: [], prints: [] };
    let at = 0;
    while (!reader.done) {
      at = summary.ats.length === 0 ? reader.uint() : at - reader.uint();
      summary.ats.push(at);
      summary.prints.push(readFingerprint(reader));
    }
    return summary;
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

function countSince({ ats }: Distinct, ring: Ring, from: number): number {
  let count = 0;
  while (count < ats.length && slotAt(ring, ats[count] ?? 0) >= from) count += 1;
  return count;
}
