/**
 * Seeded random numbers: the same seed gives the same numbers on every machine. Mulberry32 (T. Ettinger, public domain):
 * one 32-bit word of state, so each simulated customer can have a stream of its own and what one does never changes what
 * another does.
 */
export class Random {
  #state: number;

  /** `stream` tells apart the generators of one seed. */
  constructor(seed: number, stream = 0) {
    // Spread apart by an odd constant and mixed, so that neighbouring seeds and streams do not resemble each other.
    this.#state = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) ^ Math.imul(stream + 1, 0x9e3779b1);
    for (let round = 0; round < 4; round++) this.next();
  }

  /** Uniform, 0 ≤ x < 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** A whole number from 0 to `count` − 1. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  pick<T>(choices: readonly T[]): T {
    const chosen = choices[this.below(choices.length)];
    if (chosen === undefined) throw new RangeError('nothing to choose from');
    return chosen;
  }

  /** One of the choices, each as likely as its weight says. */
  weighted<T>(choices: readonly (readonly [T, number])[]): T {
    let total = 0;
    for (const [, weight] of choices) total += weight;
    let left = this.next() * total;
    let last: T | undefined;
    for (const [choice, weight] of choices) {
      last = choice;
      left -= weight;
      if (left < 0) break;
    }
    if (last === undefined) throw new RangeError('nothing to choose from');
    return last;
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** Standard normal, by Box and Muller. */
  normal(): number {
    return Math.sqrt(this.exponential(2)) * Math.cos(2 * Math.PI * this.next());
  }

  /** Gamma with scale 1, by Marsaglia and Tsang (2000); a shape below 1 is boosted as they describe. */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * (1 - this.next()) ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(1 - this.next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  }

  beta(a: number, b: number): number {
    const x = this.gamma(a);
    return x / (x + this.gamma(b));
  }
}
