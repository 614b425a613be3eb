import { PipelineError } from '../core/errors.ts';
import type { Instant } from '../core/processor.ts';

/** A set of definitions that came into use. The newest one is active. */
export interface Generation {
  /** From 1 on, without gaps. */
  readonly number: number;
  /** Of the set. A set that came into use again has several generations. */
  readonly hash: string;
  readonly since: Instant;
}

/** Which sets of definitions came into use, one after the other. Rejects with a PipelineError when the store does not answer. */
export interface Generations {
  /** Every one, the oldest first. Majority read. */
  list(): Promise<Generation[]>;
  /** null before the first. Majority read. */
  newest(): Promise<Generation | null>;
  /** Adds the next one; majority. Answers false when its number is taken: somebody else was first. */
  add(generation: Generation): Promise<boolean>;
}

/** Each time it is lost, somebody else brought a set into use: more often than that in a row is no rolling change. */
const CLAIMS_MAX = 100;

/**
 * A set that was never in use takes the next generation, and is active from then on. One that was is not: whoever brings old
 * files along, on purpose or not, must not take over from those who brought newer ones. Answers the active generation.
 */
export async function claimGeneration(generations: Generations, hash: string, now: Instant): Promise<Generation> {
  for (let tries = 0; tries < CLAIMS_MAX; tries++) {
    const known = await generations.list();
    const newest = known.at(-1);
    if (newest !== undefined && known.some((each) => each.hash === hash)) return newest;
    const next = { number: (newest?.number ?? 0) + 1, hash, since: now };
    if (await generations.add(next)) return next;
  }
  throw lost();
}

/** Lets the set of an earlier generation take the next one: going back. Answers the active generation; null for a number that is none. */
export async function activateGeneration(
  generations: Generations,
  number: number,
  now: Instant,
): Promise<Generation | null> {
  for (let tries = 0; tries < CLAIMS_MAX; tries++) {
    const known = await generations.list();
    const newest = known.at(-1);
    const wanted = known.find((each) => each.number === number);
    if (wanted === undefined || newest === undefined) return null;
    if (newest.hash === wanted.hash) return newest;
    const next = { number: newest.number + 1, hash: wanted.hash, since: now };
    if (await generations.add(next)) return next;
  }
  throw lost();
}

function lost(): PipelineError {
  return new PipelineError(
    'store_unavailable',
    `lost the next generation of definitions ${CLAIMS_MAX} times in a row`,
    {
      retriable: true,
    },
  );
}

/** Whether the definitions of this process are the active ones, as far as it knows. */
export class ActiveDefinitions {
  readonly hash: string;
  readonly #generations: Generations;
  #active: Generation | null = null;

  constructor(generations: Generations, hash: string) {
    this.#generations = generations;
    this.hash = hash;
  }

  /** As of the last look; null before the first. */
  get active(): Generation | null {
    return this.#active;
  }

  get isOurs(): boolean {
    return this.#active?.hash === this.hash;
  }

  /** Takes the next generation if the set was never in use. */
  async claim(now: Instant): Promise<boolean> {
    this.#active = await claimGeneration(this.#generations, this.hash, now);
    return this.isOurs;
  }

  async look(): Promise<boolean> {
    this.#active = await this.#generations.newest();
    return this.isOurs;
  }

  /**
   * Asked before a partition is claimed and once it is, of the store and not of what is remembered: who joined with a newer set
   * brought it into use before, so what that process evaluated is never evaluated by an older one again.
   */
  async refuseOthers(): Promise<void> {
    if (await this.look()) return;
    const message = `generation ${this.#active?.number ?? 'none'} of definitions is active (${this.#active?.hash ?? ''}), and this process has ${this.hash}`;
    throw new PipelineError('ownership_lost', message, { retriable: true });
  }
}
