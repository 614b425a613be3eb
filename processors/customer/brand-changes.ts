import { utcDay } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import { WHOLE, type Dimension } from '../core/brand-amounts.ts';

/**
 * What one instant of one customer changes in the partition's brand documents. A single one serves every customer in turn:
 * the runtime adds it to the totals before the next record is folded.
 */
export class BrandChanges {
  readonly of = 'brand';
  brandId = '';
  /** When they happened: the customer's clock. */
  now: Instant = 0;
  readonly #dimensions: Dimension[] = [];
  readonly #values: string[] = [];
  /** The day of a sum; STANDING for a standing. */
  readonly #days: number[] = [];
  readonly #places: number[] = [];
  readonly #by: number[] = [];
  #count = 0;

  begin(brandId: string, now: Instant): this {
    this.brandId = brandId;
    this.now = now;
    this.#count = 0;
    return this;
  }

  get count(): number {
    return this.#count;
  }

  /** `by` more of a sum (its place in BRAND_SUMS) under the day of `at`, for the brand and for these segments. */
  addSum(place: number, at: Instant, by: number, segments: readonly string[]): void {
    const day = utcDay(at);
    this.add('brand', WHOLE, day, place, by);
    for (const segment of segments) this.add('segment', segment, day, place, by);
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
