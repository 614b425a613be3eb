import { ByteReader } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { firstSlot, leavesAt, RINGS, slotAt } from '../core/window.ts';
import type { Gathered, Gathering } from './gathering.ts';
import { ALL_SPANS } from './windows.ts';
import { compareTexts } from './rule-comparisons.ts';

/** The value of the latest event; of two at the same millisecond the greater. A window shows it while its event lies in it. */
export interface Last {
  /** −1: none yet. */
  at: Instant;
  value: Gathered;
}

const reader = new ByteReader(Buffer.alloc(0));
const NUMBER = 0;
const TEXT = 1;

export const lasts: Gathering<Last> = {
  initial: () => ({ at: -1, value: 0 }),

  add(summary, at, value) {
    if (at < summary.at || (at === summary.at && !isGreater(value, summary.value))) return;
    summary.at = at;
    summary.value = value;
  },

  valueIn({ at, value }, span, now) {
    if (at < 0) return undefined;
    return span === null || slotAt(RINGS[span.ring], at) >= firstSlot(span, now) ? value : undefined;
  },

  valuesIn(summary, now, into) {
    for (let index = 0; index < ALL_SPANS.length; index++) {
      into[index] = this.valueIn(summary, ALL_SPANS[index] ?? null, now);
    }
  },

  nextChange(summary, span, now, isOther) {
    if (this.valueIn(summary, span, now) === undefined || !isOther(undefined)) return NEVER;
    return leavesAt(span, slotAt(RINGS[span.ring], summary.at));
  },

  merge(into, other, now) {
    if (other.at >= 0) this.add(into, other.at, other.value, now);
  },

  read(bytes, start, end) {
    reader.reset(bytes, start, end);
    const at = reader.uint();
    return { at, value: reader.byte() === NUMBER ? reader.int() : reader.string() };
  },

  glance(bytes, start, end) {
    return this.read(bytes, start, end);
  },

  write({ at, value }, writer) {
    writer.uint(at);
    writer.byte(typeof value === 'number' ? NUMBER : TEXT);
    if (typeof value === 'number') writer.int(value);
    else writer.string(value);
  },
};

function isGreater(value: Gathered, other: Gathered): boolean {
  return typeof value === 'string' && typeof other === 'string' ? compareTexts(value, other) > 0 : value > other;
}
