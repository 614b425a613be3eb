import type { Instant } from '../core/processor.ts';
import { MEASURES, RATIOS, WINDOWS, type Ratio } from './features.ts';
import { placeOf, SIGNED } from './measures.ts';
import type { OpenState } from './open-state.ts';
import { windowSums } from './tally.ts';

/** The sums of a customer's measures over every window, of whom they were last asked for. Reused, as everything here. */
export class TraitSums {
  /** Place of a measure · number of windows + place of a window. */
  readonly #sums = new Float64Array(MEASURES.length * WINDOWS.length);
  readonly #listed = new Uint8Array(MEASURES.length);
  #count = 0;

  /** Adds everything up at `now`. */
  fill(open: OpenState, now: Instant): void {
    const sums = this.#sums;
    sums.fill(0);
    this.#count = 0;
    for (let place = 0; place < MEASURES.length; place++) {
      if (open.tallies[place]?.present !== true) continue;
      const at = place * WINDOWS.length;
      windowSums(open.tally(place), SIGNED.has(place), now, sums, at);
      if (open.lastAt(place) >= 0 || !this.#isAllZero(at)) this.#listed[this.#count++] = place;
    }
  }

  /** How many measures have a known age or are not zero everywhere. */
  get count(): number {
    return this.#count;
  }

  /** The place of one of these measures. */
  place(index: number): number {
    return this.#listed[index] ?? 0;
  }

  /** The sum of the measure at `place` over the window at `window`. */
  of(place: number, window: number): number {
    return this.#sums[place * WINDOWS.length + window] ?? 0;
  }

  /** A ratio over the window at `window`; null: its denominator is zero. */
  quotient({ numerator, denominator }: RatioPlaces, window: number): number | null {
    const below = this.of(denominator, window);
    return below === 0 ? null : this.of(numerator, window) / below;
  }

  /** Nothing ever leaves the whole life, so nothing in it is nothing anywhere. */
  isKnown({ denominator }: RatioPlaces): boolean {
    return this.of(denominator, LIFETIME) !== 0;
  }

  #isAllZero(at: number): boolean {
    for (let index = at; index < at + WINDOWS.length; index++) if (this.#sums[index] !== 0) return false;
    return true;
  }
}

const LIFETIME = WINDOWS.length - 1;

export interface RatioPlaces {
  readonly name: Ratio;
  /** Places of the measures. */
  readonly numerator: number;
  readonly denominator: number;
}

export const RATIO_PLACES: readonly RatioPlaces[] = (Object.keys(RATIOS) as Ratio[]).map((name) => ({
  name,
  numerator: placeOf(RATIOS[name].numerator),
  denominator: placeOf(RATIOS[name].denominator),
}));
