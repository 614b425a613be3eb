import { Random } from './random.ts';
import { ReplicaSet } from './replica-set.ts';
import { delayed } from './steps.ts';
import type { Steps } from './steps.ts';

/** What can be taken out of the protocol, each to show that the model notices. */
export const JOURNAL_BREAKS = [
  'noCompareAndSet',
  'resumeFromCommittedOffset',
  'noSecondEmission',
  'blockWithoutMajority',
  'unflushedOverwritten',
  'unsentOverwritten',
  'flushWithoutSeqGuard',
  'documentsWithoutMajority',
  'refusedInsertTakenAsStored',
  'sendsNotAwaited',
  'documentsWithoutCausalSession',
  'cacheKeptBlindly',
  'unflushedNotLoaded',
  'noClaim',
  'nonceOutlivesCache',
  'unknownTakenAsWritten',
] as const;
export type JournalBreak = (typeof JOURNAL_BREAKS)[number];

export interface Scale {
  readonly ring: number;
  readonly events: number;
  readonly keys: number;
  /** Owners alive at once. */
  readonly rivals: number;
  readonly crashes: number;
  readonly failovers: number;
  /** Share of requests or answers that are lost. */
  readonly loss: number;
  /** Steps before everybody but one last owner dies and the faults end. */
  readonly steps: number;
}

export const USUAL: Scale = {
  ring: 4,
  events: 16,
  keys: 3,
  rivals: 4,
  crashes: 6,
  failovers: 4,
  loss: 0.1,
  steps: 700,
};
export const HARSH: Scale = {
  ring: 3,
  events: 30,
  keys: 3,
  rivals: 8,
  crashes: 10,
  failovers: 8,
  loss: 0.2,
  steps: 1_500,
};

export interface Delivered {
  readonly seq: number;
  readonly index: number;
  readonly value: number;
}

/** Everything outside the owners: the input, the database, the output topic, and what is still under way to either. */
export class World {
  readonly random: Random;
  readonly database: ReplicaSet;
  readonly scale: Scale;
  readonly broken: JournalBreak | null;
  readonly input: { readonly key: number; readonly value: number }[] = [];
  /** The output topic's one partition. */
  readonly delivered: Delivered[] = [];
  /** Requests and records that arrive although nobody waits for them any more. */
  readonly late: Steps<unknown>[] = [];
  /** What happened in this run: a model that never meets its dangers proves nothing. */
  readonly counts = { takeOvers: 0, claimsLost: 0, unknownResults: 0, rivalInserts: 0, lateArrivals: 0, rolledBack: 0 };
  committedOffset = 0;
  faults = true;
  #nonce = 0;

  constructor(seed: number, scale: Scale, broken: JournalBreak | null) {
    this.random = new Random(seed);
    this.database = new ReplicaSet(this.random);
    this.scale = scale;
    this.broken = broken;
    for (let offset = 0; offset < scale.events; offset++) {
      this.input.push({ key: this.random.below(scale.keys), value: 1 + this.random.below(1_000_000) });
    }
  }

  freshNonce(): number {
    return ++this.#nonce;
  }

  fault(probability: number): boolean {
    return this.faults && this.random.chance(probability);
  }

  /**
   * One write command. The request may be lost, or arrive when its sender has given up; the effect waits for a majority;
   * a failover or a lost answer leaves its result unknown.
   */
  *command<T>(majority: boolean, execute: () => Steps<T>): Steps<{ answer: T; time: number } | null> {
    const done = yield* this.#command(majority, execute);
    if (done === null) this.counts.unknownResults++;
    return done;
  }

  *#command<T>(majority: boolean, execute: () => Steps<T>): Steps<{ answer: T; time: number } | null> {
    yield;
    if (this.fault(this.scale.loss)) {
      if (this.random.chance(0.5)) this.late.push(delayed(this.random, execute));
      return null;
    }
    const { term } = this.database;
    const answer = yield* execute();
    const time = this.database.now;
    if (this.database.term !== term) return null;
    if (majority) {
      yield;
      if (this.database.term !== term) return null;
      this.database.acknowledge(time);
    }
    return this.fault(this.scale.loss) ? null : { answer, time };
  }

  /** One record to the output topic, acknowledged or not: then it may be lost, be there, or arrive at any later time. */
  *send(record: Delivered): Steps<boolean> {
    yield;
    if (this.fault(this.scale.loss)) {
      const fate = this.random.below(3);
      if (fate === 0) this.delivered.push(record);
      if (fate === 1) this.late.push(delayed(this.random, () => this.#arrive(record)));
      return false;
    }
    this.delivered.push(record);
    return true;
  }

  *#arrive(record: Delivered): Steps<void> {
    yield;
    this.counts.lateArrivals++;
    this.delivered.push(record);
  }
}

/** The fold: its result tells the order and the number of all that went in. */
export function fold(state: number, value: number): number {
  return (state * 31 + value) % 1_000_003;
}
