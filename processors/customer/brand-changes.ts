import { utcDay } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import { WHOLE, type Dimension } from '../core/brand-amounts.ts';
import { NO_SEGMENTS, type SegmentList } from './segment-list.ts';

/** Whether the customer comes to a value of a dimension, leaves it, or stays: the sign of what it brings. */
export type Move = 1 | -1 | 0;
export const [COMES, LEAVES, STAYS]: readonly [1, -1, 0] = [1, -1, 0];

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
  /** What the customer is now, and was before: standings as bits (brand-standing.ts). */
  bitsAfter = 0;
  bitsBefore = 0;
  /** Everything the customer ever added and the window still holds, in as many places of each as there are. */
  readonly wholeDays: number[] = [];
  readonly wholePlaces: number[] = [];
  readonly wholeBy: number[] = [];
  wholeCount = 0;
  /** What the customer as a whole came to, left, or stays in with other standings. */
  readonly moves: Move[] = [];
  readonly movedDimensions: Dimension[] = [];
  readonly movedValues: string[] = [];
  moveCount = 0;
  readonly #dimensions: Dimension[] = [];
  readonly #values: string[] = [];
  readonly #days: number[] = [];
  readonly #places: number[] = [];
  readonly #by: number[] = [];
  #count = 0;

  begin(brandId: string, now: Instant, segments: SegmentList = NO_SEGMENTS): this {
    this.brandId = brandId;
    this.now = now;
    this.segments = segments;
    this.sumCount = 0;
    this.wholeCount = 0;
    this.moveCount = 0;
    this.#count = 0;
    return this;
  }

  /** How many of `add`. */
  get count(): number {
    return this.#count;
  }

  get isEmpty(): boolean {
    return this.sumCount + this.moveCount + this.#count === 0;
  }

  /** `by` more of a sum (its place in BRAND_SUMS) under the day of `at`, for the brand and for the segments. */
  addSum(place: number, at: Instant, by: number): void {
    if (by === 0) return;
    const index = this.sumCount++;
    this.sumDays[index] = utcDay(at);
    this.sumPlaces[index] = place;
    this.sumBy[index] = by;
  }

  /** A part of everything that the customer brings along or takes away. */
  addWhole(place: number, day: number, by: number): void {
    if (by === 0) return;
    const index = this.wholeCount++;
    this.wholeDays[index] = day;
    this.wholePlaces[index] = place;
    this.wholeBy[index] = by;
  }

  /** Whether who moves so brings or takes anything. */
  isMoveFelt(move: typeof COMES | typeof LEAVES): boolean {
    return this.wholeCount > 0 || (move === COMES ? this.bitsAfter : this.bitsBefore) !== 0;
  }

  move(dimension: Dimension, value: string, move: Move): void {
    const index = this.moveCount++;
    this.movedDimensions[index] = dimension;
    this.movedValues[index] = value;
    this.moves[index] = move;
  }

  /** `by` more of a sum under a day. */
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
    return this.#days[index] ?? 0;
  }

  place(index: number): number {
    return this.#places[index] ?? 0;
  }

  by(index: number): number {
    return this.#by[index] ?? 0;
  }
}
