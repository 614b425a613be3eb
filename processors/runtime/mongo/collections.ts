import { GENERATIONS_COLLECTION } from './definition-generations.ts';
import { MARKS_COLLECTION } from './fold-marks.ts';

export const journalOf = (processor: string): string => `${processor}.journal`;
export const stateOf = (processor: string): string => `${processor}.state`;
export const inputsOf = (processor: string): string => `${processor}.inputs`;

/** A collection of the processes; `indexed`: they make sure of its indexes when they start. */
export interface UsedCollection {
  readonly name: string;
  readonly indexed: boolean;
}

/** Every collection that processes read and write, by the store names of their processors (`customer.v1`). */
export function collectionsOf(stateful: readonly string[], stateless: readonly string[]): UsedCollection[] {
  const kept = (name: string): UsedCollection => ({ name, indexed: false });
  return [
    ...stateful.flatMap((each) => [kept(journalOf(each)), { name: stateOf(each), indexed: true }]),
    ...stateless.map((each) => kept(inputsOf(each))),
    kept(MARKS_COLLECTION),
    kept(GENERATIONS_COLLECTION),
  ];
}

/** Every `_id` that begins so. */
export function beginningWith(prefix: string): { readonly $gte: string; readonly $lt: string } {
  return { $gte: prefix, $lt: prefix + AFTER_ALL };
}

/** Comes after every character that a key can hold. */
const AFTER_ALL = '\u{10FFFF}';
