import { ByteReader, ByteWriter } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { readAttributes, writeAttributes, type Attributes } from './attributes.ts';
import { BrandChanges } from './brand-changes.ts';
import { BrandMoments } from './brand-moments.ts';
import { EventIds } from './event-ids.ts';
import { MEASURES } from './features.ts';
import { placeOf } from './measures.ts';
import { factsOf, newOrderBook, NO_ORDERS, type OrderBook, type OrderFacts } from './order-book.ts';
import { readOrderBook, readOrderFacts, writeOrderBook } from './order-packing.ts';
import { OpenParts } from './parts.ts';
import { Postings } from './postings.ts';
import { locateTally, openTally, writeTally } from './tally-packing.ts';
import { newTally, postToTally, type Tally } from './tally.ts';
import { lastStartOf } from './visits.ts';

const ORDERS = placeOf('orders');
const REVENUE = placeOf('revenue');
const SESSIONS = placeOf('sessions');
const NEVER_WAS: Instant = -1;

interface OfMessage {
  readonly postings: Postings;
  channel: string;
  campaignId: string | null;
}

/** What of a state is opened. */
export interface Packed {
  body: Buffer;
  parts: Buffer;
}

/**
 * A customer's packed body while it is worked on. A state keeps its body packed all the time, because a live customer gets
 * one event and rests: unpacking what that event touches and copying the rest costs a tenth of unpacking everything, and a
 * hundred thousand cached customers are a hundred thousand buffers instead of millions of objects. One OpenState serves
 * every customer in turn.
 *
 *   body: which measures · their tallies · event ids · orders · attributes
 */
export class OpenState {
  readonly ids = new EventIds();
  /** What the event in hand adds to the measures. */
  readonly postings = new Postings();
  readonly tallies: readonly Tally[] = MEASURES.map(newTally);
  readonly parts = new OpenParts();
  /** What it adds to sums of the brand that are no measures; their places are those of BRAND_SUMS. */
  readonly extras = new Postings();
  /** What it adds to sums of the brand as a whole alone. */
  readonly ofBrand = new Postings();
  /** What it adds to sums of a channel and of a campaign. */
  readonly ofMessage: OfMessage = { postings: new Postings(), channel: '', campaignId: null };
  /** What it adds to sums of stages of the journey (stage-sums.ts). */
  readonly ofStages = new Postings();
  /** Where the customer was counted in the brand's documents before it. */
  readonly brandMoments = new BrandMoments();
  /** What it changes in the brand's documents. */
  readonly brandChanges = new BrandChanges();
  readonly #reader = new ByteReader(Buffer.alloc(0));
  readonly #writer = new ByteWriter(4096);
  readonly #part = new ByteWriter(4096);
  #body: Buffer = Buffer.alloc(0);
  #ordersAt = 0;
  #attributesAt = 0;
  #book: OrderBook | null = null;
  #facts: OrderFacts | null = null;
  #attributes: Attributes | null = null;

  open({ body, parts }: Packed): void {
    this.postings.clear();
    this.extras.clear();
    this.ofBrand.clear();
    this.ofStages.clear();
    this.ofMessage.postings.clear();
    this.brandMoments.clear();
    this.parts.open(parts);
    // A deadline that comes right before an event seldom changes the body: it is still open then.
    if (body === this.#body && body.length > 0 && !this.isChanged) return;
    const reader = this.#reader.reset(body);
    this.#body = body;
    this.#book = null;
    this.#facts = null;
    this.#attributes = null;
    let present = body.length === 0 ? 0 : reader.uint();
    for (const tally of this.tallies) {
      if ((present & 1) === 1) locateTally(tally, reader, body);
      else clearTally(tally);
      present >>>= 1;
    }
    if (body.length === 0) {
      this.#ordersAt = 0;
      this.#attributesAt = 0;
      this.ids.open(body, 0, 0);
      return;
    }
    const ids = reader.uint();
    this.#ordersAt = reader.position + ids;
    this.ids.open(body, reader.position, this.#ordersAt);
    const orders = reader.reset(body, this.#ordersAt).uint();
    this.#ordersAt = reader.position;
    this.#attributesAt = this.#ordersAt + orders;
  }

  /** The measure's tally with every field unpacked. */
  tally(measure: number): Tally {
    const tally = this.tallies[measure];
    if (tally === undefined) throw new RangeError(`no measure ${measure}`);
    openTally(tally, this.#reader, this.#body);
    return tally;
  }

  /** Adds what is in `postings`. */
  post(now: Instant): void {
    const { postings } = this;
    for (let index = 0; index < postings.count; index++) {
      postToTally(this.tally(postings.measure(index)), postings.at(index), postings.amount(index), now);
    }
  }

  /** When the customer last did it; −1: never. A cancelled order never was; a session is done when it begins. */
  lastAt(measure: number): Instant {
    if (measure === ORDERS) return this.facts.lastAt;
    if (measure === REVENUE) return this.facts.revenueAt;
    if (measure === SESSIONS) return lastStartOf(this.parts);
    const tally = this.tally(measure);
    return tally.present ? tally.lastAt : NEVER_WAS;
  }

  get facts(): OrderFacts {
    this.#facts ??= this.hasOrders ? readOrderFacts(this.#reader.reset(this.#body, this.#ordersAt)) : NO_ORDERS;
    return this.#facts;
  }

  /** Something is kept of orders, if only of one that was cancelled. */
  get hasOrders(): boolean {
    return this.#book !== null || this.#ordersAt < this.#attributesAt;
  }

  /** To be changed in place, then handed to `keepBook`. */
  get book(): OrderBook {
    if (this.#book !== null) return this.#book;
    return this.hasOrders ? readOrderBook(this.#reader.reset(this.#body, this.#ordersAt)) : newOrderBook();
  }

  keepBook(book: OrderBook): void {
    this.#book = book;
    this.#facts = factsOf(book);
  }

  get hasAttributes(): boolean {
    return this.#attributes === null ? this.#attributesAt < this.#body.length : this.#attributes.size > 0;
  }

  /** Changed in place. */
  get attributes(): Attributes {
    this.#attributes ??=
      this.#attributesAt < this.#body.length
        ? readAttributes(this.#reader.reset(this.#body, this.#attributesAt))
        : new Map();
    return this.#attributes;
  }

  /** Whether the body is not what it was when it was opened; attributes count as changed when they were looked at. */
  get isChanged(): boolean {
    if (this.ids.isChanged || this.#book !== null || this.#attributes !== null) return true;
    for (const tally of this.tallies) if (tally.changed) return true;
    return false;
  }

  /** Packs what changed. */
  keepIn(state: Packed): void {
    if (this.isChanged) state.body = this.#close();
    if (this.parts.isChanged) state.parts = this.parts.close();
  }

  /** A body of nothing but the ids of events. */
  idsAlone(): Buffer {
    const part = this.#part;
    part.reset();
    this.ids.write(part);
    if (part.length === 0) return Buffer.alloc(0);
    const writer = this.#writer;
    writer.reset();
    // No tallies, and after the ids no orders.
    writer.uint(0);
    writer.section(part);
    writer.uint(0);
    return writer.copy();
  }

  #close(): Buffer {
    const writer = this.#writer;
    const part = this.#part;
    const body = this.#body;
    writer.reset();
    let present = 0;
    for (let measure = 0; measure < this.tallies.length; measure++) {
      if (this.tallies[measure]?.present === true) present |= 1 << measure;
    }
    writer.uint(present);
    for (const tally of this.tallies) if (tally.present) writeTally(tally, body, writer, part);
    part.reset();
    this.ids.write(part);
    writer.section(part);
    this.#writeOrders(writer, part);
    if (this.#attributes === null) writer.raw(body, this.#attributesAt, body.length);
    else writeAttributes(this.#attributes, writer);
    return writer.copy();
  }

  #writeOrders(writer: ByteWriter, part: ByteWriter): void {
    if (this.#book === null) {
      writer.uint(this.#attributesAt - this.#ordersAt);
      writer.raw(this.#body, this.#ordersAt, this.#attributesAt);
      return;
    }
    part.reset();
    writeOrderBook(this.#book, this.facts, part);
    writer.section(part);
  }
}

function clearTally(tally: Tally): void {
  tally.present = false;
  tally.opened = true;
  tally.changed = false;
  tally.due = NEVER;
}

/** When the customer last interacted, read from a packed body without opening it; −1: never. */
export function lastInteractionOf(reader: ByteReader): Instant {
  if ((reader.uint() & 1) === 0) return NEVER_WAS;
  reader.uint();
  return reader.uint();
}
