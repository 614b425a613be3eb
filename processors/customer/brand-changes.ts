import type { Instant } from '../core/processor.ts';
import { WHOLE, type Dimension } from '../core/brand-amounts.ts';
import { NO_SEGMENTS, type SegmentList } from './segment-list.ts';

/** Whether the customer comes to documents or leaves them: the sign of what it brings; or neither. */
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
  /** What of the customer counts in all of them, in as many places of each as there are. */
  readonly sumHours: number[] = [];
  readonly sumPlaces: number[] = [];
  readonly sumBy: number[] = [];
  sumCount = 0;
  /** Everything that the customer counts for, in as many places of each as there are. */
  readonly wholeHours: number[] = [];
  readonly wholePlaces: number[] = [];
  readonly wholeBy: number[] = [];
  wholeCount = 0;
  /** Whether the customer as a whole comes to the brand and to all the segments, or leaves them. */
  moveOfAll: Move = STAYS;
  /** And which segments it comes to, or leaves, alone. */
  readonly moves: Move[] = [];
  readonly movedSegments: string[] = [];
  moveCount = 0;
  readonly #dimensions: Dimension[] = [];
  readonly #values: string[] = [];
  /** The hour of a sum; NOW for a standing. */
  readonly #hours: number[] = [];
  readonly #places: number[] = [];
  readonly #by: number[] = [];
  #count = 0;

  begin(brandId: string, now: Instant, segments: SegmentList = NO_SEGMENTS): this {
    this.brandId = brandId;
    this.now = now;
    this.segments = segments;
    this.sumCount = 0;
    this.wholeCount = 0;
    this.moveOfAll = STAYS;
    this.moveCount = 0;
    this.#count = 0;
    return this;
  }

  /** How many of `add`. */
  get count(): number {
    return this.#count;
  }

  get isEmpty(): boolean {
    return this.sumCount + this.moveCount + this.#count === 0 && this.moveOfAll === STAYS;
  }

  /** `by` more at a place (brand-places.ts) under an hour, for the brand and for the segments; of a standing under NOW. */
  addSum(place: number, hour: number, by: number): void {
    if (by === 0) return;
    const index = this.sumCount++;
    this.sumHours[index] = hour;
    this.sumPlaces[index] = place;
    this.sumBy[index] = by;
  }

  /** A part of everything that the customer brings along or takes away, as in `addSum`. */
  addWhole(place: number, hour: number, by: number): void {
    if (by === 0) return;
    const index = this.wholeCount++;
    this.wholeHours[index] = hour;
    this.wholePlaces[index] = place;
    this.wholeBy[index] = by;
  }

  moveEverywhere(move: Move): void {
    if (this.wholeCount > 0) this.moveOfAll = move;
  }

  move(segmentId: string, move: Move): void {
    if (this.wholeCount === 0) return;
    const index = this.moveCount++;
    this.movedSegments[index] = segmentId;
    this.moves[index] = move;
  }

  /** What `addSum` adds, for one document. */
  add(dimension: Dimension, value: string, hour: number, place: number, by: number): void {
    if (by === 0) return;
    const at = this.#count++;
    this.#dimensions[at] = dimension;
    this.#values[at] = value;
    this.#hours[at] = hour;
    this.#places[at] = place;
    this.#by[at] = by;
  }

  dimension(index: number): Dimension {
    return this.#dimensions[index] ?? 'brand';
  }

  value(index: number): string {
    return this.#values[index] ?? WHOLE;
  }

  hour(index: number): number {
    return this.#hours[index] ?? NOW;
  }

  place(index: number): number {
    return this.#places[index] ?? 0;
  }

  by(index: number): number {
    return this.#by[index] ?? 0;
  }
}

/** In the place of an hour: how many there are at the instant, at a place of BRAND_STANDINGS. */
export const NOW = -1;
