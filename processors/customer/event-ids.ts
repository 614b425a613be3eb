import { DAY_MS } from '../core/event-time.ts';
import { ByteReader, ByteWriter } from '../core/packing.ts';
import type { Instant } from '../core/processor.ts';
import { FINGERPRINT_BYTES, readFingerprint, writeFingerprint, type Fingerprint } from '../core/fingerprint.ts';

/** How many applied events a customer remembers. */
export const REMEMBERED_EVENTS = 64;
/** How long, in record time. */
export const REMEMBERED_MS = DAY_MS;

/**
 * The ids of the newest applied events, packed: the time of the newest, then for each, newest first, its fingerprint and the
 * milliseconds to the one applied before it. Looked through and prepended to without unpacking.
 */
export class EventIds {
  readonly #reader = new ByteReader(Buffer.alloc(0));
  #bytes: Buffer = Buffer.alloc(0);
  #newestAt: Instant = 0;
  #start = 0;
  /** Behind the last id that is still worth keeping once one more has come. */
  #keepEnd = 0;
  #end = 0;
  #added: Fingerprint = -1;
  #addedAt: Instant = 0;
  #isMerged = false;

  /** Works on bytes `start` to `end`. */
  open(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#added = -1;
    this.#isMerged = false;
    this.#start = start;
    this.#end = end;
    this.#keepEnd = start;
    if (start === end) return;
    this.#newestAt = this.#reader.reset(bytes, start).uint();
    this.#start = this.#reader.position;
    this.#keepEnd = this.#end;
  }

  /** Whether the event was applied less than 24 hours before `now` and is among the newest 64. */
  has(id: Fingerprint, now: Instant): boolean {
    const first = id % 256;
    const low = (id % 2 ** 32) | 0;
    const high = Math.floor(id / 2 ** 32);
    const bytes = this.#bytes;
    const reader = this.#reader;
    let age = now - this.#newestAt;
    let at = this.#start;
    this.#keepEnd = at;
    for (let count = 1; at < this.#end && age < REMEMBERED_MS; count++) {
      if (bytes[at] === first && bytes.readInt32LE(at) === low && bytes.readUIntLE(at + 4, 3) === high) return true;
      reader.reset(bytes, at + FINGERPRINT_BYTES);
      age += reader.uint();
      at = reader.position;
      if (count < REMEMBERED_EVENTS) this.#keepEnd = at;
    }
    return false;
  }

  /** Remembers an event; `has` was asked before with the same `now`, which settled what can be forgotten. */
  add(id: Fingerprint, now: Instant): void {
    this.#added = id;
    this.#addedAt = now;
  }

  /** Takes in those of another, neither having one added: the newest 64 of both stay. */
  merge(other: EventIds): void {
    const newest = new Map<Fingerprint, Instant>();
    for (const [id, at] of [...this.#entries(), ...other.#entries()]) newest.set(id, Math.max(at, newest.get(id) ?? 0));
    const kept = [...newest].sort(([a, aAt], [b, bAt]) => bAt - aAt || a - b).slice(0, REMEMBERED_EVENTS);
    const writer = new ByteWriter();
    writer.uint(kept[0]?.[1] ?? 0);
    for (const [place, [id, at]] of kept.entries()) {
      writeFingerprint(id, writer);
      writer.uint(at - (kept[place + 1]?.[1] ?? at));
    }
    this.open(writer.copy(), 0, kept.length === 0 ? 0 : writer.length);
    this.#isMerged = true;
  }

  *#entries(): Generator<readonly [Fingerprint, Instant]> {
    const reader = new ByteReader(this.#bytes).reset(this.#bytes, this.#start);
    let at = this.#newestAt;
    while (reader.position < this.#end) {
      yield [readFingerprint(reader), at];
      at -= reader.uint();
    }
  }

  get isChanged(): boolean {
    return this.#added >= 0 || this.#isMerged;
  }

  write(writer: ByteWriter): void {
    if (this.#added < 0) {
      if (this.#start === this.#end) return;
      writer.uint(this.#newestAt);
      writer.raw(this.#bytes, this.#start, this.#end);
      return;
    }
    const others = this.#keepEnd > this.#start;
    writer.uint(this.#addedAt);
    writeFingerprint(this.#added, writer);
    writer.uint(others ? this.#addedAt - this.#newestAt : 0);
    writer.raw(this.#bytes, this.#start, this.#keepEnd);
  }
}
