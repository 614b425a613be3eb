/**
 * The thresholds around a number: while a value stays strictly between them, no comparison with a constant can flip. A number
 * that sits exactly on a threshold has no room at all. The same division of the line as `region` (brand-rules.ts), made
 * once for a walk over many values.
 */
export class Surroundings {
  below = -Infinity;
  above = Infinity;
  /** The number itself is a threshold. */
  pinned = false;
  #value = 0;

  around(thresholds: readonly number[], value: number): this {
    this.below = -Infinity;
    this.above = Infinity;
    this.pinned = false;
    this.#value = value;
    for (const threshold of thresholds) {
      if (threshold < value) this.below = threshold;
      else if (threshold === value) this.pinned = true;
      else {
        this.above = threshold;
        break;
      }
    }
    return this;
  }

  /** Whether `value` is on another side of some threshold than the number was. */
  excludes(value: number): boolean {
    if (this.pinned) return value !== this.#value;
    return value <= this.below || value >= this.above;
  }

  /** Whether a sum that can only shrink towards 0 ever leaves. */
  get isLeftAboveZero(): boolean {
    return this.pinned ? this.#value > 0 : this.below >= 0;
  }
}
