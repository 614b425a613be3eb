import type { Random } from './random.ts';

/**
 * A database of several members, seen from outside: one log of writes, of which a prefix is on a majority. A failover may
 * cut off what is not; a majority read may come from any member, however far it lags, unless the reader says how new its
 * answer must be.
 */

export interface Block {
  readonly seq: number;
  readonly nonce: number;
  readonly next: number;
  readonly flushedTo: number;
  readonly emittedTo: number;
  readonly states: ReadonlyMap<number, number>;
  readonly outputs: readonly number[];
}

export interface Doc {
  readonly seq: number;
  readonly state: number;
}

type Write =
  | { readonly kind: 'block'; readonly id: number; readonly value: Block }
  | { readonly kind: 'doc'; readonly id: number; readonly value: Doc };

export class ReplicaSet {
  /** Which primary is in office: a command that began under another one gets no answer. */
  term = 0;
  readonly #log: Write[] = [];
  #majority = 0;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The time of the newest write: its place in the log. */
  get now(): number {
    return this.#log.length;
  }

  append(write: Write): void {
    this.#log.push(write);
  }

  /** What the primary has now, on a majority or not. */
  blockNow(slot: number): Block | undefined {
    return this.#block(slot, this.now);
  }

  docNow(key: number): Doc | undefined {
    return this.#doc(key, this.now);
  }

  /** Majority reads, of a member that has at least everything up to `notBefore`. */
  readBlock(slot: number, notBefore: number): Block | undefined {
    return this.#block(slot, this.#snapshot(notBefore));
  }

  readDoc(key: number, notBefore: number): Doc | undefined {
    return this.#doc(key, this.#snapshot(notBefore));
  }

  /** A majority has everything up to `time`. */
  acknowledge(time: number): void {
    this.#majority = Math.max(this.#majority, Math.min(time, this.now));
  }

  /** Another primary takes office; of what no majority has, it may lack any tail. */
  failover(): void {
    this.term++;
    this.#log.length = this.#majority + this.#random.below(this.now - this.#majority + 1);
  }

  #snapshot(notBefore: number): number {
    this.acknowledge(notBefore);
    if (this.#random.chance(0.6)) return this.#majority;
    const lowest = Math.min(notBefore, this.#majority);
    return lowest + this.#random.below(this.#majority - lowest + 1);
  }

  #block(slot: number, upTo: number): Block | undefined {
    for (let time = upTo - 1; time >= 0; time--) {
      const write = this.#log[time];
      if (write?.kind === 'block' && write.id === slot) return write.value;
    }
    return undefined;
  }

  #doc(key: number, upTo: number): Doc | undefined {
    for (let time = upTo - 1; time >= 0; time--) {
      const write = this.#log[time];
      if (write?.kind === 'doc' && write.id === key) return write.value;
    }
    return undefined;
  }
}
