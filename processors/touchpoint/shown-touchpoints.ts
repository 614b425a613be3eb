import { fingerprint } from '../core/fingerprint.ts';

/** So many touchpoints of a partition have gauges of their own beside those that settings list; the rest together as `other`. */
export const TOUCHPOINTS_MAX = 100;
export const OTHER = 'other';

/** The touchpoints that a brand's settings list; empty: they list none. */
export type ShownOf = (brandId: string) => ReadonlySet<string>;

/** By series. */
type Values = Map<number, number>;

interface Named {
  readonly brandId: string;
  readonly touchpoint: string;
  readonly rank: number;
}

/**
 * What one partition counts, by brand and touchpoint. Every partition shows the same names as far as it knows them: those that
 * a brand's settings list, and of a brand that lists none the TOUCHPOINTS_MAX with the smallest fingerprints. A name that has
 * to give way leaves what it counted to `other`, so that sums over touchpoints stay right.
 */
export class TouchpointTotals {
  readonly brands = new Map<string, Map<string, Values>>();
  /** Of names that no settings list, in order of rank. */
  readonly #named: Named[] = [];
  readonly #shownOf: ShownOf;

  constructor(shownOf: ShownOf) {
    this.#shownOf = shownOf;
  }

  add(brandId: string, touchpoint: string, series: number, by: number): void {
    const values = this.brands.get(brandId)?.get(touchpoint) ?? this.#valuesFor(brandId, touchpoint);
    // What falls to nothing stays as 0, so that its gauge falls to 0 instead of standing still.
    values.set(series, (values.get(series) ?? 0) + by);
  }

  /** Where a name counts that is not shown yet, if it is to be. */
  #valuesFor(brandId: string, touchpoint: string): Values {
    const listed = this.#shownOf(brandId);
    if (listed.has(touchpoint)) return this.#valuesOf(brandId, touchpoint);
    if (listed.size > 0 || touchpoint === OTHER) return this.#valuesOf(brandId, OTHER);
    const named: Named = { brandId, touchpoint, rank: fingerprint(`${brandId}|${touchpoint}`) };
    const last = this.#named.at(-1);
    if (this.#named.length >= TOUCHPOINTS_MAX && last !== undefined) {
      if (named.rank >= last.rank) return this.#valuesOf(brandId, OTHER);
      this.#giveWay(last);
    }
    const place = this.#named.findIndex(({ rank }) => rank > named.rank);
    this.#named.splice(place < 0 ? this.#named.length : place, 0, named);
    return this.#valuesOf(brandId, touchpoint);
  }

  #giveWay({ brandId, touchpoint }: Named): void {
    this.#named.pop();
    const touchpoints = this.#touchpointsOf(brandId);
    const others = this.#valuesOf(brandId, OTHER);
    for (const [series, value] of touchpoints.get(touchpoint) ?? []) {
      others.set(series, (others.get(series) ?? 0) + value);
    }
    touchpoints.delete(touchpoint);
  }

  #valuesOf(brandId: string, touchpoint: string): Values {
    const touchpoints = this.#touchpointsOf(brandId);
    const values = touchpoints.get(touchpoint) ?? new Map<number, number>();
    touchpoints.set(touchpoint, values);
    return values;
  }

  #touchpointsOf(brandId: string): Map<string, Values> {
    const touchpoints = this.brands.get(brandId) ?? new Map<string, Values>();
    this.brands.set(brandId, touchpoints);
    return touchpoints;
  }
}
