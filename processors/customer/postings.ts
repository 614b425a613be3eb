import type { Instant } from '../core/processor.ts';

/** More than any event posts: an order taken out with all its refunds, or the sessions of two customers who are one. */
const POSTINGS_MAX = 256;

/**
 * What a single event adds to measures: each posting has a place in MEASURES, the time it is kept under and an amount, negative
 * when an order is taken out. One is reused from event to event, so that an event leaves no objects behind.
 */
export class Postings {
  readonly #measures = new Uint8Array(POSTINGS_MAX);
  readonly #ats = new Float64Array(POSTINGS_MAX);
  readonly #amounts = new Float64Array(POSTINGS_MAX);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  clear(): void {
    this.#count = 0;
  }

  add(measure: number, at: Instant, amount: number): void {
    if (this.#count === POSTINGS_MAX) throw new RangeError(`more than ${POSTINGS_MAX} postings of one event`);
    this.#measures[this.#count] = measure;
    this.#ats[this.#count] = at;
    this.#amounts[this.#count] = amount;
    this.#count += 1;
  }

  measure(index: number): number {
    return this.#measures[index] ?? 0;
  }

  at(index: number): Instant {
    return this.#ats[index] ?? 0;
  }

  amount(index: number): number {
    return this.#amounts[index] ?? 0;
  }

  includes(measure: number): boolean {
    for (let index = 0; index < this.#count; index++) if (this.#measures[index] === measure) return true;
    return false;
  }

  /** Whether one of the measures is among those of `bits`, a bit for each place. */
  touches(bits: number): boolean {
    for (let index = 0; index < this.#count; index++) if (((bits >>> this.measure(index)) & 1) === 1) return true;
    return false;
  }
}
