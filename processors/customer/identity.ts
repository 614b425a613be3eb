import type { ByteReader, ByteWriter } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import type { Packed } from './open-state.ts';
import type { Part } from './parts.ts';

/** Parts that came from weaker subjects are kept apart up to so many; then the longest kept is folded into the customer's own. */
export const HELD_MAX = 8;
/** How many subjects a customer remembers that it must not be linked to again. */
export const UNLINKED_MAX = 8;

export const NO_BODY: Buffer = Buffer.alloc(0);

/** What came under a weaker subject: a customer's state of its own, as if the two had never been linked. */
export interface Held extends Packed {
  readonly subject: string;
  /** The subject through which it came, when that was linked first; null: straight. */
  readonly via: string | null;
}

/** What a customer's document knows of other identifiers of the same person. */
export interface Identity {
  /** Everything goes to this stronger subject; null: the customer is one of its own. */
  redirect: string | null;
  /** Subjects that an operator parted it from, the newest last. */
  unlinked: string[];
  /** What came under the customer's own subject; null while nothing is held: then it is the document itself. */
  own: Packed | null;
  /** The longest held first. */
  held: Held[];
  /** Whatever happened up to then was erased and counts no more; −1: nothing was. */
  erasedAt: Instant;
  /**
   * Of a customer who was parted: a body of nothing but the ids of events that came while it was linked. These were forwarded and
   * may still be on their way, so they tell repeats, but never go along when it is linked anew: where they came first, they
   * would refuse the events themselves.
   */
  forwarded: Buffer;
}

/**
 * Links of a customer. Its id is the lowest, so that one byte tells whether a customer has any (`hasIdentity`).
 *
 *   redirect · subjects unlinked · how many are held · own body, own parts · for each held: subject, via, body, parts ·
 *   when it was erased · ids of what was forwarded; in most neither
 */
export const IDENTITY: Part<Identity> = {
  id: 0,

  initial: () => ({ redirect: null, unlinked: [], own: null, held: [], erasedAt: -1, forwarded: NO_BODY }),

  read(reader: ByteReader): Identity {
    const redirect = reader.string() || null;
    const unlinked: string[] = [];
    for (let left = reader.uint(); left > 0; left--) unlinked.push(reader.string());
    const held: Held[] = [];
    const count = reader.uint();
    const own = count === 0 ? null : readPacked(reader);
    for (let left = count; left > 0; left--) {
      held.push({ subject: reader.string(), via: reader.string() || null, ...readPacked(reader) });
    }
    const erasedAt = reader.done ? -1 : reader.uint();
    if (reader.done) return { redirect, unlinked, own, held, erasedAt, forwarded: NO_BODY };
    // Never erased is written as 0 where ids follow.
    return { redirect, unlinked, own, held, erasedAt: erasedAt || -1, forwarded: Buffer.from(reader.bytes()) };
  },

  write({ redirect, unlinked, own, held, erasedAt, forwarded }: Identity, writer: ByteWriter): void {
    if (redirect === null && unlinked.length === 0 && own === null && erasedAt < 0) return;
    writer.string(redirect ?? '');
    writer.uint(unlinked.length);
    for (const subject of unlinked) writer.string(subject);
    const isHolding = own !== null && held.length > 0;
    writer.uint(isHolding ? held.length : 0);
    if (isHolding) {
      writePacked(own, writer);
      for (const each of held) {
        writer.string(each.subject);
        writer.string(each.via ?? '');
        writePacked(each, writer);
      }
    }
    if (erasedAt >= 0 || forwarded.length > 0) writer.uint(Math.max(erasedAt, 0));
    if (forwarded.length > 0) writer.bytes(forwarded);
  },

  // What is held waits for the next event; whatever it would publish, nobody sees.
  nextDue: () => NEVER,
};

/** Whether packed parts hold anything of links. */
export function hasIdentity(parts: Buffer): boolean {
  return parts[0] === IDENTITY.id;
}

/** Whether nothing is known of a customer without a body but that it was erased. */
export function isBlankSinceErasure({ redirect, unlinked, erasedAt }: Identity): boolean {
  return erasedAt >= 0 && redirect === null && unlinked.length === 0;
}

function readPacked(reader: ByteReader): Packed {
  // Copies: the reader's bytes may belong to a whole block.
  return { body: Buffer.from(reader.bytes()), parts: Buffer.from(reader.bytes()) };
}

function writePacked({ body, parts }: Packed, writer: ByteWriter): void {
  writer.bytes(body);
  writer.bytes(parts);
}
