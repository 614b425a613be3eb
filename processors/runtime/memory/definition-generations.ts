import type { Generation, Generations } from '../definition-generations.ts';

/** Generations in memory. */
export class MemoryGenerations implements Generations {
  readonly #all: Generation[] = [];

  async list(): Promise<Generation[]> {
    return [...this.#all];
  }

  async newest(): Promise<Generation | null> {
    return this.#all.at(-1) ?? null;
  }

  async add(generation: Generation): Promise<boolean> {
    if (generation.number !== this.#all.length + 1) return false;
    this.#all.push({ ...generation });
    return true;
  }
}
