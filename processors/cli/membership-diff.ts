import { share, type Estimate } from '../core/estimates.ts';

/** How many customers, counted or, of a sample, estimated. */
export interface CustomerCount {
  readonly customers: number;
  /** Of a sample: within which it is in 95 of 100 cases; else the number itself. */
  readonly low: number;
  readonly high: number;
}

/** What would become of one segment of one brand. */
export interface SegmentDiff {
  readonly brand: string;
  readonly segment: string;
  readonly enter: CustomerCount;
  readonly leave: CustomerCount;
  readonly stay: CustomerCount;
  /** Some of those who would, in order of key. */
  readonly entering: readonly string[];
  readonly leaving: readonly string[];
}

/** How many documents were read of how many there are; the rest is not known. */
export interface Sample {
  readonly read: number;
  readonly stored: number;
}

interface Counted {
  enter: number;
  leave: number;
  stay: number;
  readonly entering: string[];
  readonly leaving: string[];
}

/** Counts who enters and leaves which segment, customer by customer. */
export class MembershipDiff {
  /** Customers that were added. */
  customers = 0;
  readonly #samplesMax: number;
  readonly #isWanted: (segment: string) => boolean;
  readonly #bySegment = new Map<string, Counted & { readonly brand: string; readonly segment: string }>();

  constructor(samplesMax: number, isWanted: (segment: string) => boolean) {
    this.#samplesMax = samplesMax;
    this.#isWanted = isWanted;
  }

  /** A segment of a brand that has customers, so that it is told of even if nobody is in it. */
  know(brand: string, segment: string): Counted | null {
    if (!this.#isWanted(segment)) return null;
    const name = `${brand}|${segment}`;
    const known = this.#bySegment.get(name);
    if (known !== undefined) return known;
    const counted = { brand, segment, enter: 0, leave: 0, stay: 0, entering: [], leaving: [] };
    this.#bySegment.set(name, counted);
    return counted;
  }

  add(brand: string, subject: string, before: readonly string[], after: readonly string[]): void {
    this.customers += 1;
    for (const segment of after) {
      const counted = this.know(brand, segment);
      if (counted === null) continue;
      if (before.includes(segment)) {
        counted.stay += 1;
        continue;
      }
      counted.enter += 1;
      if (counted.entering.length < this.#samplesMax) counted.entering.push(subject);
    }
    for (const segment of before) {
      const counted = after.includes(segment) ? null : this.know(brand, segment);
      if (counted === null) continue;
      counted.leave += 1;
      if (counted.leaving.length < this.#samplesMax) counted.leaving.push(subject);
    }
  }

  /** By brand and segment. */
  segments(sample: Sample | null): SegmentDiff[] {
    const count = (hits: number): CustomerCount => {
      const estimate = sample === null ? null : share(hits, sample.read);
      return estimate === null ? exactly(hits) : scaled(estimate, hits, sample?.stored ?? 0);
    };
    return [...this.#bySegment.values()]
      .sort((one, other) => compare(one.brand, other.brand) || compare(one.segment, other.segment))
      .map(({ enter, leave, stay, ...rest }) => {
        return { ...rest, enter: count(enter), leave: count(leave), stay: count(stay) };
      });
  }
}

function exactly(customers: number): CustomerCount {
  return { customers, low: customers, high: customers };
}

/** Never fewer than were seen. */
function scaled({ value, low, high }: Estimate, seen: number, stored: number): CustomerCount {
  return {
    customers: Math.round(value * stored),
    low: Math.max(seen, Math.floor(low * stored)),
    high: Math.ceil(high * stored),
  };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
