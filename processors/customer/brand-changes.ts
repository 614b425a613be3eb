import { utcDay } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import { WHOLE, type Dimension } from '../core/brand-amounts.ts';
import { NO_SEGMENTS, type SegmentList } from './segment-list.ts';

/**
 * What one instant of one customer changes in the partition's brand documents. A single one serves every customer in turn:
 * the runtime adds it to the totals before the next record is folded.
 */
export class BrandChanges {
  readonly of = 'brand';
  brandId = '';
  /** When they happened: the customer's clock. */
  now: Instant = 0;
  /** The segments that sums of the customer count in, beside the brand. */
  segments: SegmentList = NO_SEGMENTS;
  /** Sums of the customer, in as many places of each as there are. */
  readonly sumDays: number[] = [];
  readonly sumPlaces: number[] = [];
  readonly sumBy: number[] = [];
  sumCount = 0;
  readonly #dimensions: Dimension[] = [];
  readonly #values: string[] = [];
  /** The day of a sum; STANDING for a standing. */
  readonly #days: number[] = [];
  readonly #places: number[] = [];
  readonly #by: number[] = [];
  #count = 0;

  begin(brandId: string, now: Instant, segments: SegmentList = NO_SEGMENTS): this {
    this.brandId = brandId;
    this.now = now;
    this.segments = segments;
    this.sumCount = 0;
    this.#count = 0;
    return this;
  }

  /** How many of `add` and `addStanding`. */
  get count(): number {
    return this.#count;
  }

  get isEmpty(): boolean {
    return this.sumCount + this.#count === 0;
  }

  /** `by` more of a sum (its place in BRAND_SUMS) under the day of `at`, for the brand and for the segments. */
  addSum(place: number, at: Instant, by: number): void {
    if (by === 0) return;
    const index = this.sumCount++;
    this.sumDays[index] = utcDay(at);
    this.sumPlaces[index] = place;
    this.sumBy[index] = by;
  }

  /** `by` more customers of a standing (its place in BRAND_STANDINGS). */
  addStanding(dimension: Dimension, value: string, place: number, by: number): void {
    this.add(dimension, value, STANDING, place, by);
  }

  add(dimension: Dimension, value: string, day: number, place: number, by: number): void {
    if (by === 0) return;
    const at = this.#count++;
    this.#dimensions[at] = dimension;
    this.#values[at] = value;
    this.#days[at] = day;
    this.#places[at] = place;
    this.#by[at] = by;
  }

  dimension(index: number): Dimension {
    return this.#dimensions[index] ?? 'brand';
  }

  value(index: number): string {
    return this.#values[index] ?? WHOLE;
  }

  day(index: number): number {
    return this.#days[index] ?? STANDING;
  }

  place(index: number): number {
    return this.#places[index] ?? 0;
  }

  by(index: number): number {
    return this.#by[index] ?? 0;
  }
}

export const STANDING = -1;
