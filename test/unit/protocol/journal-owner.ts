import { fold } from './journal-world.ts';
import type { World } from './journal-world.ts';
import type { Block, Doc } from './replica-set.ts';
import type { Steps } from './steps.ts';

interface Entry {
  state: number;
  /** The block that `state` comes from. */
  seq: number;
  /** The oldest block with a state of this key that is not stored; null when clean. */
  unstoredFrom: number | null;
}

/** One process that believes it owns the partition: what it keeps in memory, and its two activities. */
export class Owner {
  readonly #world: World;
  #cache = new Map<number, Entry>();
  /** Of the last block whose working copies the cache holds. */
  #nonce = -1;
  #head = -1;
  #next = 0;
  #emittedTo = -1;
  /** The newest write of ours, or look of ours, that the database answered. */
  #time = 0;
  #ready = false;

  constructor(world: World) {
    this.#world = world;
  }

  get finished(): boolean {
    const all = this.#next >= this.#world.input.length && this.#emittedTo >= this.#head;
    return this.#ready && all && this.#flushedTo() === this.#head;
  }

  /** Takes over, folds batches, and takes over again after anything unexpected; for ever. */
  *work(): Steps<never> {
    const { random } = this.#world;
    for (;;) {
      this.#ready = yield* this.#takeOver();
      while (this.#ready) this.#ready = yield* this.#batch();
      do yield;
      while (this.#world.faults && !random.chance(0.2));
    }
  }

  /** Writes documents behind; for ever. */
  *flush(): Steps<never> {
    const { random } = this.#world;
    for (;;) {
      yield;
      if (this.#world.faults && random.chance(0.7)) continue;
      const cache = this.#cache;
      const dirty = [...cache].filter(([, entry]) => entry.unstoredFrom !== null);
      const chosen = dirty[random.below(dirty.length)];
      if (chosen === undefined) continue;
      const [key, entry] = chosen;
      const { seq, state } = entry;
      const stored = yield* this.#store(key, { seq, state });
      // Forgotten meanwhile: what was stored is right all the same, but no longer ours to count.
      if (!stored || cache !== this.#cache) continue;
      entry.unstoredFrom = entry.seq === seq ? null : Math.max(entry.unstoredFrom ?? 0, seq + 1);
    }
  }

  *#takeOver(): Steps<boolean> {
    const { database, scale, broken } = this.#world;
    yield;
    const headers = [];
    for (let slot = 0; slot < scale.ring; slot++) headers.push(database.readBlock(slot, 0));
    const head = headers.reduce((newest, each) => ((each?.seq ?? -1) > (newest?.seq ?? -1) ? each : newest), undefined);
    const seqs = new Set(headers.map((each) => each?.seq));
    this.#head = head?.seq ?? -1;
    for (let seq = Math.max(0, this.#head - scale.ring + 1); seq < this.#head; seq++) if (!seqs.has(seq)) return false;

    const keep = head?.nonce === this.#nonce || (broken === 'cacheKeptBlindly' && this.#nonce >= 0);
    if (!keep) {
      this.#cache = new Map();
      if (broken !== 'nonceOutlivesCache') this.#nonce = -1;
    }
    let flushedTo = keep ? this.#flushedTo() : (head?.flushedTo ?? -1);
    let emittedTo = keep ? this.#emittedTo : (head?.emittedTo ?? -1);
    this.#next = broken === 'resumeFromCommittedOffset' ? this.#world.committedOffset : (head?.next ?? 0);

    // The claim overwrites the oldest block: its states and outputs must be out of it first.
    const oldest = this.#head + 1 - scale.ring;
    if (oldest > Math.min(flushedTo, emittedTo)) {
      const block = database.readBlock(oldest % scale.ring, this.#time);
      if (block?.seq !== oldest) return false;
      if (oldest > flushedTo && broken !== 'unflushedOverwritten') {
        for (const [key, state] of block.states) if (!(yield* this.#store(key, { seq: oldest, state }))) return false;
        flushedTo = oldest;
        for (const entry of this.#cache.values()) {
          if (entry.unstoredFrom !== null) entry.unstoredFrom = Math.max(entry.unstoredFrom, oldest + 1);
        }
      }
      if (oldest > emittedTo && broken !== 'unsentOverwritten') {
        if (!(yield* this.#emit(oldest, block.outputs))) return false;
        emittedTo = oldest;
      }
    }
    const seq = broken === 'noClaim' ? this.#head : this.#head + 1;
    const nonce = broken === 'noClaim' ? (head?.nonce ?? -1) : this.#world.freshNonce();
    const claim = { seq, nonce, next: this.#next, flushedTo, emittedTo, states: new Map(), outputs: [] };
    if (broken !== 'noClaim' && !(yield* this.#write(claim))) {
      this.#world.counts.claimsLost++;
      return false;
    }
    this.#world.counts.takeOvers++;

    // Everything from here on is read no earlier than the claim. A block that is gone has been overwritten by a rival.
    const gone = broken === 'unflushedOverwritten' || broken === 'unsentOverwritten';
    for (let each = flushedTo + 1; each <= this.#head && !keep && broken !== 'unflushedNotLoaded'; each++) {
      const block = database.readBlock(each % scale.ring, this.#time);
      if (block?.seq === each) this.#remember(block);
      else if (!gone) return false;
    }
    const last = this.#head;
    this.#nonce = nonce;
    this.#head = seq;
    this.#emittedTo = emittedTo;
    for (let each = emittedTo + 1; each <= last && broken !== 'noSecondEmission'; each++) {
      const block = database.readBlock(each % scale.ring, this.#time);
      if (block?.seq !== each && !gone) return false;
      if (block?.seq === each && !(yield* this.#emit(each, block.outputs))) return false;
      this.#emittedTo = each;
    }
    this.#emittedTo = seq;
    return true;
  }

  *#batch(): Steps<boolean> {
    const { database, input, random, scale, broken } = this.#world;
    yield;
    if (this.#next >= input.length) return true;
    const to = Math.min(this.#next + 1 + random.below(3), input.length);
    const states = new Map<number, number>();
    const outputs: number[] = [];
    for (const { key, value } of input.slice(this.#next, to)) {
      let state = states.get(key) ?? this.#cache.get(key)?.state;
      if (state === undefined) {
        yield;
        state = database.readDoc(key, broken === 'documentsWithoutCausalSession' ? 0 : this.#time)?.state ?? 0;
      }
      states.set(key, fold(state, value));
      outputs.push(fold(state, value));
    }
    const seq = this.#head + 1;
    const oldest = seq - scale.ring;
    while (oldest > this.#flushedTo() && broken !== 'unflushedOverwritten') yield;
    const flushedTo = this.#flushedTo();
    const nonce = this.#world.freshNonce();
    const block = { seq, nonce, next: to, flushedTo, emittedTo: this.#emittedTo, states, outputs };
    if (!(yield* this.#write(block))) return false;
    this.#head = seq;
    this.#nonce = nonce;
    this.#next = to;
    this.#remember(block);
    if (!(yield* this.#emit(seq, outputs))) return false;
    this.#emittedTo = seq;
    yield;
    this.#world.committedOffset = to;
    for (const [key, entry] of this.#cache)
      if (entry.unstoredFrom === null && random.chance(0.5)) this.#cache.delete(key);
    return true;
  }

  /** Compare-and-set, repeated while its result is unknown, then settled by a look at the nonce. */
  *#write(block: Block): Steps<boolean> {
    const { database, scale, broken } = this.#world;
    const id = block.seq % scale.ring;
    const isFree = (held: Block | undefined) => {
      return block.seq < scale.ring ? held === undefined : held?.seq === block.seq - scale.ring;
    };
    for (let tries = 0; tries < 4; tries++) {
      const done = yield* this.#world.command(broken !== 'blockWithoutMajority', function* () {
        if (!isFree(database.blockNow(id)) && broken !== 'noCompareAndSet') return false;
        database.append({ kind: 'block', id, value: block });
        return true;
      });
      if (done === null && broken === 'unknownTakenAsWritten') return true;
      if (done === null) continue;
      this.#time = Math.max(this.#time, done.time);
      if (done.answer) return true;
      yield;
      const held = database.readBlock(id, this.#time);
      if (held?.nonce === block.nonce) return true;
      if (!isFree(held)) return false;
    }
    return false;
  }

  /**
   * As the server does it: an insert, which another one may overtake, where the key is not there; else a guarded update, but
   * a refusal where the key was believed to be new (here by every other block, rightly or not).
   */
  *#store(key: number, doc: Doc): Steps<boolean> {
    const { database, broken } = this.#world;
    for (let tries = 0; tries < 2; tries++) {
      const done = yield* this.#world.command(broken !== 'documentsWithoutMajority', function* () {
        const { term } = database;
        const held = database.docNow(key);
        if (held === undefined) {
          yield;
          if (database.term !== term || database.docNow(key) !== undefined) return 'duplicate';
        } else if (tries === 0 && doc.seq % 2 === 0) {
          return 'duplicate';
        } else if (held.seq >= doc.seq && broken !== 'flushWithoutSeqGuard') {
          return 'stored';
        }
        database.append({ kind: 'doc', id: key, value: doc });
        return 'stored';
      });
      if (done === null) return false;
      this.#time = Math.max(this.#time, done.time);
      if (done.answer === 'duplicate') this.#world.counts.rivalInserts++;
      if (done.answer === 'stored' || broken === 'refusedInsertTakenAsStored') return true;
    }
    return false;
  }

  /** One record at a time, each acknowledged before the next leaves. */
  *#emit(seq: number, outputs: readonly number[]): Steps<boolean> {
    let acknowledged = true;
    for (const [index, value] of outputs.entries()) {
      acknowledged = (yield* this.#world.send({ seq, index, value })) && acknowledged;
      if (!acknowledged && this.#world.broken !== 'sendsNotAwaited') return false;
    }
    return acknowledged;
  }

  #remember(block: Block): void {
    for (const [key, state] of block.states) {
      const from = this.#cache.get(key)?.unstoredFrom ?? block.seq;
      this.#cache.set(key, { state, seq: block.seq, unstoredFrom: from });
    }
  }

  #flushedTo(): number {
    let lowest = this.#head + 1;
    for (const { unstoredFrom } of this.#cache.values()) lowest = Math.min(lowest, unstoredFrom ?? lowest);
    return lowest - 1;
  }
}
