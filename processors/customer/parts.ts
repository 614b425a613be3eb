import { ByteReader, ByteWriter } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { readDue, writeDue } from './part-due.ts';
import type { Merging } from './part-list.ts';
import type { Postings } from './postings.ts';

/**
 * Something that some customers have and most have not, kept beside the body and unpacked only when it is asked for: a
 * customer without it pays a look at an empty buffer. Each rule that keeps one owns its value, changed in place and then
 * handed to `OpenParts.put`.
 */
export interface Part<Value> {
  /** Its place in the packed form, from 0 to 127; never given to another part. */
  readonly id: PartId;
  initial(): Value;
  /** `due`: as `nextDue` said when it was put; it is kept beside the value. */
  read(reader: ByteReader, due: Instant): Value;
  /** Writes nothing for a value that need not be kept. */
  write(value: Value, writer: ByteWriter): void;
  /** When silence alone changes something in it; NEVER if it does not. */
  nextDue(value: Value): Instant;
}

/** Every part that there is. That of links is the first, so that one byte tells whether a customer has any. */
export type PartId = 0 | 1 | 2 | 3 | 30 | 40 | 41 | 42 | 50 | 60 | 61 | 70 | 71 | 72;

/** How a part of another customer is taken in (part-list.ts). */
export interface PartMerge {
  readonly part: Part<unknown>;
  readonly merge: (into: unknown, from: unknown, merging: Merging) => void;
}

/** A part that two customers who are one can share. */
export interface MergeablePart<Value> extends Part<Value> {
  /**
   * Takes in what another customer, now known to be the same, has: as if all of it had happened to one. The measures of both
   * are added up apart from this; what must be taken from their sum goes into `postings`.
   */
  merge(into: Value, from: Value, postings: Postings): void;
}

export const NO_PARTS: Buffer = Buffer.alloc(0);

/** One part of the customer at hand. */
interface Entry {
  id: number;
  due: Instant;
  /** Where its line begins, and where its packed value is in it; nowhere once it was put. */
  head: number;
  start: number;
  end: number;
  /** null: as it is packed. */
  part: Part<unknown> | null;
  value: unknown;
}

/** The parts of the customer at hand. One serves every customer in turn, as the OpenState that it belongs to. */
export class OpenParts {
  readonly #reader = new ByteReader(NO_PARTS);
  readonly #writer = new ByteWriter(1024);
  readonly #section = new ByteWriter(1024);
  /** The first `#count` are the parts at hand, by id; the others wait to be used again. */
  readonly #entries: Entry[] = [];
  #count = 0;
  #packed: Buffer = NO_PARTS;
  #changed = false;

  open(packed: Buffer): void {
    // A deadline that comes right before an event seldom changes a part. What it read may be half changed, so it is read anew.
    if (packed === this.#packed && !this.#changed) {
      for (let index = 0; index < this.#count; index++) this.#entry(index).value = null;
      return;
    }
    this.#packed = packed;
    this.#changed = false;
    this.#count = 0;
    if (packed.length === 0) return;
    const reader = this.#reader.reset(packed);
    while (!reader.done) {
      const entry = this.#entry(this.#count++);
      entry.part = entry.value = null;
      entry.head = reader.position;
      entry.id = reader.byte();
      entry.due = readDue(reader);
      const length = reader.uint();
      entry.start = reader.position;
      entry.end = entry.start + length;
      reader.reset(packed, entry.end);
    }
  }

  has(part: Pick<Part<unknown>, 'id'>): boolean {
    return this.#find(part.id) !== undefined;
  }

  /** Whether the part's deadline is reached. */
  isDue(part: Pick<Part<unknown>, 'id'>, now: Instant): boolean {
    const entry = this.#find(part.id);
    return entry !== undefined && entry.due <= now;
  }

  /** Reads the part as it is packed, for a look that makes no objects; null when there is none, or when it was put. */
  packed(part: Pick<Part<unknown>, 'id'>): ByteReader | null {
    const entry = this.#find(part.id);
    if (entry === undefined || entry.part !== null) return null;
    return this.#reader.reset(this.#packed, entry.start, entry.end);
  }

  /** The part's value, a new one for a customer who has none. What is changed in it counts once it is `put`. */
  get<Value>(part: Part<Value>): Value {
    const entry = this.#find(part.id);
    if (entry === undefined) return part.initial();
    // An entry holds values of the part whose id it has.
    entry.value ??= part.read(this.#reader.reset(this.#packed, entry.start, entry.end), entry.due);
    return entry.value as Value;
  }

  put<Value>(part: Part<Value>, value: Value): void {
    const entry = this.#find(part.id) ?? this.#insert(part.id);
    entry.part = part;
    entry.value = value;
    entry.due = part.nextDue(value);
    this.#changed = true;
  }

  /** The earliest deadline of all parts. */
  get due(): Instant {
    let due = NEVER;
    for (let index = 0; index < this.#count; index++) {
      const entry = this.#entry(index);
      if (entry.due < due) due = entry.due;
    }
    return due;
  }

  get isChanged(): boolean {
    return this.#changed;
  }

  /** Takes in every part of another customer, by the rules of each. */
  merge(from: OpenParts, ruleOf: (id: number) => PartMerge, merging: Merging): void {
    for (let index = 0; index < from.#count; index++) {
      const { part, merge } = ruleOf(from.#entry(index).id);
      const into = this.get(part);
      merge(into, from.get(part), merging);
      this.put(part, into);
    }
  }

  /** All parts but `omitted`, packed:  id · due · length · value  for each, by id. */
  close(omitted: PartId | null = null): Buffer {
    const writer = this.#writer;
    const section = this.#section;
    writer.reset();
    for (let index = 0; index < this.#count; index++) {
      const { id, due, head, end, part, value } = this.#entry(index);
      if (id === omitted) continue;
      if (part === null) {
        writer.raw(this.#packed, head, end);
        continue;
      }
      section.reset();
      part.write(value, section);
      if (section.length === 0) continue;
      writer.byte(id);
      writeDue(due, writer);
      writer.section(section);
    }
    return writer.length === 0 ? NO_PARTS : writer.copy();
  }

  #find(id: number): Entry | undefined {
    for (let index = 0; index < this.#count; index++) {
      const entry = this.#entries[index];
      if (entry?.id === id) return entry;
    }
    return undefined;
  }

  /** A place for a part that the customer had none of. */
  #insert(id: number): Entry {
    const entry = this.#entry(this.#count);
    let place = this.#count++;
    for (let before = this.#entries[place - 1]; before !== undefined && before.id > id;) {
      this.#entries[place] = before;
      before = this.#entries[--place - 1];
    }
    this.#entries[place] = entry;
    entry.id = id;
    return entry;
  }

  #entry(index: number): Entry {
    return (this.#entries[index] ??= { id: 0, due: NEVER, head: 0, start: 0, end: 0, part: null, value: null });
  }
}
