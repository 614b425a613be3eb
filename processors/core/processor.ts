import type { ByteReader, ByteWriter } from './packing.ts';
import type { RejectReason, SkipReason } from './reasons.ts';

/** Milliseconds since the epoch, always a whole number. Never the wall clock: the time of a record or of a deadline. */
export type Instant = number;

/** Never: a deadline that no silence reaches. */
export const NEVER: Instant = Number.POSITIVE_INFINITY;

/** A value, or an array within one, that its processor packed itself: what the schema makes of it, without a frame. */
export class PackedValue {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

/**
 * A value made of the whole record in hand, of which the processor itself reads only some fields (`reads`): for handing a
 * record on without knowing what else it holds. `make` is called at once and is pure.
 */
export class WholeRecordValue {
  readonly make: (record: object) => object;

  constructor(make: (record: object) => object) {
    this.make = make;
  }
}

/** A record to publish. `topic` is the stream's name in the catalog, without prefix; `value` fits the topic's schema. */
export interface Output {
  readonly topic: string;
  readonly key: string;
  /** null: a tombstone, which lets a compacted topic forget the key. */
  readonly value: object | null;
  /** When the change became true. */
  readonly timestamp: Instant;
  /**
   * Of a stateless processor: readers need it once, however often it is said. The runtime leaves it out when it was
   * acknowledged under the same words not long ago (runtime/said-lately.ts); that it is repeated must be harmless.
   */
  readonly once?: string;
}

/** What one record or one deadline did to a key. */
export interface Applied<Addition = never> {
  readonly kind: 'apply';
  /** In order. A `null` is an output that was suppressed: it takes its place in the numbering, so that positions repeat exactly. */
  readonly outputs: readonly (Output | null)[];
  /** Additions to the partition-wide totals. */
  readonly contributions?: readonly Addition[];
}

/** The record rightly changes no measure of its key. The state may still have moved its clock. */
export interface Skipped<Addition = never> {
  readonly kind: 'skip';
  readonly reason: SkipReason;
  /** As of an applied record: it may still take something out of the totals. */
  readonly contributions?: readonly Addition[];
}

/** The record is bad data: its untouched bytes go to the dead letters. Nothing of the state may have changed. */
export interface Rejected {
  readonly kind: 'reject';
  readonly reason: RejectReason;
  /** For the dead letter, naming the field and what was wrong with it, never its value. */
  readonly message: string;
}

export type Outcome<Addition = never> = Applied<Addition> | Skipped<Addition> | Rejected;

/** How a state is packed. `unpack` reads every version ever written and answers today's shape. */
export interface Packing<T> {
  pack(value: T, writer: ByteWriter): void;
  unpack(reader: ByteReader): T;
}

/** Anything small and queryable that is stored beside the packed state. */
export type Summary = Readonly<Record<string, unknown>> & {
  /** Of a processor with `revisions`: `revisions.of` the state. */
  readonly revision?: number;
};

/** Of a processor whose states were evaluated under definitions: under which ones, and how that is done anew. */
export interface Revisions<State, Addition> {
  /** What everything is evaluated under now; a whole number above 0. */
  readonly current: number;
  /** What a state was last evaluated under; 0: it never was, and there is nothing to evaluate anew. */
  of(state: State): number;
  /** Evaluates a state anew as of `now`, up to which its deadlines are applied; afterwards it is of the current revision. */
  revise(state: State, now: Instant): Applied<Addition>;
}

/** A gauge that is a function of the partition-wide totals: `name` without the prefix, as declared in runtime/metrics.ts. */
export interface GaugeSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** It is shown only as far as there is room beside the others, of whichever partition. */
  readonly isExtra?: true;
}

/** Partition-wide totals: one small value for each partition, kept in the journal block. */
export interface TotalsDefinition<Totals, Addition> extends Packing<Totals> {
  initial(): Totals;
  /** Adds in place. */
  contribute(totals: Totals, addition: Addition): void;
  gauges(totals: Totals): Iterable<GaugeSample>;
  /** What of them is too large for every block, and is published. */
  readonly ledger?: LedgerDefinition<Totals>;
}

/**
 * Partition-wide documents within the totals. A block holds what changed in them and a share of the rest, so that the newest
 * blocks together hold everything; and their newest state is published, at most once a second.
 */
export interface LedgerDefinition<Totals> {
  /** Any so many blocks in a row hold all of it; at most half of the ring. */
  readonly blocks: number;
  /** What changed since the last block, and the share of block `seq`. Writes nothing when there is nothing. */
  pack(totals: Totals, seq: number, writer: ByteWriter): void;
  /** Applies what one block says to totals made of the blocks before it, beginning with none: what a block published is sent. */
  unpack(totals: Totals, reader: ByteReader): void;
  /** When it next has something to publish: −Infinity for at once, a later instant for what silence changes. Cheap. */
  nextDue(totals: Totals): Instant;
  /** Lets time pass up to `now`, and publishes every document that differs from what was published of it. */
  publish(totals: Totals, now: Instant, partition: number): readonly Output[];
}

/** Fields of a record, by name; `true`: with everything below. */
export interface ReadFields {
  readonly [field: string]: true | ReadFields;
}

/** What is left of a record of which only `Fields` are read. */
export type Picked<Record, Fields> = Record extends null
  ? null
  : { readonly [Name in keyof Fields & keyof Record]: PickedField<Record[Name], Fields[Name]> };
type PickedField<Value, Fields> = Fields extends true ? Value : Picked<Value, Fields>;

interface ProcessorBase<Record extends object> {
  /** `customer`: names the group `kizuna.<name>.v<version>` and the collections `<name>.v<version>.*`. */
  readonly name: string;
  readonly version: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * Of a processor that writes to its own input: how many times in a row what it wrote may make it write there again, itself
   * included. Time is let pass only when so many rounds are folded.
   */
  readonly ownRounds?: number;
  /** The fields of the input's records that are read; nothing is made of the others. Absent: all. */
  readonly reads?: ReadFields;
  /** When what the record tells of happened: for the end-to-end latency only. */
  occurredAt?(record: Record): Instant | undefined;
}

/** A processor without memory: its output is a function of the record alone. */
export interface StatelessProcessor<Record extends object = object> extends ProcessorBase<Record> {
  readonly kind: 'stateless';
  /** `now` is the record's own timestamp, `topic` the stream it came from. Pure, total, synchronous. */
  onRecord(record: Record, now: Instant, topic: string): Outcome;
}

/**
 * A processor that keeps one state for each key. Every function is total and synchronous and depends on its arguments
 * alone. `onRecord` and `onDue` own the state handed to them and change it in place: the runtime hands out working copies
 * and forgets them all when a block could not be written.
 */
export interface StatefulProcessor<
  State = unknown,
  Record extends object = object,
  Totals = unknown,
  Addition = unknown,
> extends ProcessorBase<Record> {
  readonly kind: 'stateful';
  readonly state: Packing<State> & {
    /** The queryable part, read from the front of the packed bytes so that a flush need not unpack the rest. */
    summarize(reader: ByteReader): Summary;
  };
  readonly totals: TotalsDefinition<Totals, Addition>;
  initial(key: string): State;
  /** `now` is the record's time, already raised to the document's clock when the record is older. */
  onRecord(state: State, record: Record, now: Instant): Outcome<Addition>;
  /**
   * Whether a state has nothing to remember but its clock: one that a skipped record brought into being is then not kept. Absent:
   * every state is kept. A skip may have changed more than the clock, so the state itself is asked.
   */
  isBlank?(state: State): boolean;
  /** The document's clock: the latest instant applied to it; the runtime raises a record's time to it. */
  clock(state: State): Instant;
  /** Moves the clock forward to `now` (a no-op when it is not later): also called for skipped and rejected records. */
  advance(state: State, now: Instant): void;
  /** The earliest instant at which silence alone changes something; NEVER if none. Cheap: called for every touched key. */
  nextDue(state: State): Instant;
  /** Applies exactly the deadline `due` = `nextDue(state)`, after which `nextDue` is later than `due`. */
  onDue(state: State, due: Instant): Applied<Addition>;
  /** Absent: nothing that is kept depends on definitions, or it may wait until it is touched. */
  readonly revisions?: Revisions<State, Addition>;
  /** What is only held back until more time passes, published as of `now`, the end of a replay's record time. */
  atEnd?(state: State, now: Instant): Applied<Addition>;
}

/** The forms in which the runtime holds any processor: it never looks inside State, Totals or Addition. */
export type AnyStateful = StatefulProcessor;
export type Processor = AnyStateful | StatelessProcessor;
