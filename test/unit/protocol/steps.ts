import type { Random } from './random.ts';

/** Something that goes on by single steps; between two of them anything else may happen. */
export type Steps<T> = Generator<void, T, void>;

/** The same, but begun only after any number of steps. */
export function* delayed<T>(random: Random, begin: () => Steps<T>): Steps<T> {
  while (!random.chance(0.03)) yield;
  return yield* begin();
}
