import { setTimeout as rest } from 'node:timers/promises';
import type { Instant, Processor } from '../core/processor.ts';
import { IDENTITY_ROUNDS } from '../customer/identity-steps.ts';
import { ownGoals, upstreamLag, type UpstreamLag } from '../runtime/upstream.ts';
import { casesOf, customersOf, type ErasurePlan, type FoundDocument } from './erase-plan.ts';
import type { ErasureWorld } from './erasure-world.ts';

const LOOK_AGAIN_MS = 250;

/** Until when to wait, and whom to tell what for. */
export interface Patience {
  readonly deadline: Instant;
  readonly now: () => Instant;
  readonly progress: (line: () => string) => void;
}

/** What is left when the time is over; null: nothing is. */
export type Left = string | null;

/**
 * Waits until the pipeline has folded whatever its inputs hold now, and what follows from that: what a link or an order makes
 * one customer tell another one.
 */
export async function untilFolded({ log, processors }: ErasureWorld, patience: Patience): Promise<Left> {
  const named = (wanted: string): Processor[] => processors.filter(({ name }) => name === wanted);
  const rounds = Array.from({ length: 1 + IDENTITY_ROUNDS }, () => named('customer'));
  for (const processor of [...named('intake'), ...rounds.flat(), ...named('touchpoint')]) {
    const goals = await ownGoals(log, processor);
    let lag: UpstreamLag | null = null;
    const isFolded = async (): Promise<boolean> => (lag = await upstreamLag(log, goals)) === null;
    const text = (): string => `${lag?.processor} has ${lag?.records} records of ${lag?.topic} yet to fold`;
    if (!(await until(isFolded, text, patience))) return text();
  }
  return null;
}

/** Waits until the documents are stored as erased, each by an order of this time or a later one. */
export async function untilErased(
  world: ErasureWorld,
  plan: ErasurePlan,
  wanted: ReadonlyMap<string, Instant>,
  patience: Patience,
): Promise<{ readonly customers: FoundDocument[]; readonly cases: FoundDocument[] } | string> {
  let customers: FoundDocument[] = [];
  let cases: FoundDocument[] = [];
  const isErased = ({ key, erasedAt }: FoundDocument): boolean => erasedAt >= (wanted.get(key) ?? 0);
  const all = plan.subjects.length + plan.cases.length;
  const areAll = async (): Promise<boolean> => {
    customers = (await customersOf(world, plan)).filter(isErased);
    cases = (await casesOf(world, plan)).filter(isErased);
    return customers.length + cases.length === all;
  };
  const text = (): string => `${customers.length + cases.length} of ${all} documents are erased`;
  if (await until(areAll, text, patience)) return { customers, cases };
  return `${all - customers.length - cases.length} of ${all} documents are not stored as erased yet`;
}

/** Looks again and again; false when the time is over before it is so. */
export async function until(isSo: () => Promise<boolean>, text: () => string, patience: Patience): Promise<boolean> {
  while (!(await isSo())) {
    if (patience.now() > patience.deadline) return false;
    patience.progress(text);
    await rest(LOOK_AGAIN_MS);
  }
  return true;
}
