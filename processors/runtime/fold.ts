import { PipelineError } from '../core/errors.ts';
import { WholeRecordValue, type Applied, type Instant, type Output } from '../core/processor.ts';
import type { BlockOutput } from './block.ts';
import { deadLetter, decodeRefusal, letterBytes, type Refusal } from './dead-letter.ts';
import { cacheNewKey } from './cached-keys.ts';
import { OutputPacking } from './output-packing.ts';
import type { CachedKey, OwnedPartition } from './owned-partition.ts';
import { groupName, type PipelinePorts } from './pipeline-ports.ts';
import type { LogRecord } from './ports.ts';
import { groupOf, isRepeat, parsePosition, POSITION_HEADER } from './position.ts';
import { isOutdated } from './revisions.ts';
import { Tally } from './tally.ts';

/** What a block will say, while it is being folded. */
export interface Draft {
  /** The values of those that the processor made stand in them once `finishOutputs` was called. */
  readonly outputs: (BlockOutput | null)[];
  readonly touched: Set<CachedKey>;
  readonly tally: Tally;
  /** An estimate of the block's size. */
  bytes: number;
  /** The last record that could be decoded. */
  newest: object | null;
  /** The latest instant folded; −Infinity before the first. */
  now: Instant;
}

// One for the process: from its beginning until its outputs are finished nobody waits, so there is one draft at a time.
const PACKING = new OutputPacking();
let drafted: Draft | null = null;

export function newDraft(): Draft {
  PACKING.reset();
  drafted = { outputs: [], touched: new Set(), tally: new Tally(), bytes: 0, newest: null, now: -Infinity };
  return drafted;
}

/** The outputs as a block holds them. Once, before anything is waited for. */
export function finishOutputs(draft: Draft): Buffer {
  if (draft !== drafted) {
    throw new PipelineError('invariant_broken', 'a block was folded while another was', { retriable: false });
  }
  drafted = null;
  return PACKING.finish();
}

// What a packed state may grow by in one block, for the estimate of the block's size.
const STATE_GROWTH_BYTES = 256;

/**
 * Folds records and deadlines into one partition's working copies. From the first change on the working copies belong to no
 * block that is written, so the caller marks the cache with the coming block's nonce first.
 */
export class Fold {
  readonly #partition: OwnedPartition;
  readonly #ports: PipelinePorts;
  readonly #group: string;
  readonly #writers: readonly string[];
  readonly #counts = new Map<string, boolean>();
  /** The record in hand, once it is decoded. */
  #record: LogRecord | null = null;

  constructor(partition: OwnedPartition, ports: PipelinePorts) {
    this.#partition = partition;
    this.#ports = ports;
    this.#group = groupName(partition.processor);
    this.#writers = ports.topics.writers(partition.at.topic);
  }

  /** One consumed record: exactly one outcome. */
  record(record: LogRecord, found: FoundKey | undefined, draft: Draft): void {
    const partition = this.#partition;
    if (record.offset < partition.next || this.#isUpstreamRepeat(record)) {
      draft.tally.replayed += 1;
      return;
    }
    if (record.value === null) return this.#refuse(record, decodeRefusal('null_value'), 'decode', draft);
    const value = this.#ports.codec.decode(partition.at.topic, record.value, partition.processor.reads);
    if (typeof value === 'string') return this.#refuse(record, decodeRefusal(value), 'decode', draft);
    if (record.key === null) {
      return this.#refuse(record, { reason: 'undecodable', message: 'the record has no key' }, 'decode', draft);
    }
    draft.newest = value;
    this.#record = record;
    this.#apply(record, found ?? record.key.toString(), value, draft);
    this.#record = null;
  }

  #apply(record: LogRecord, found: FoundKey, value: object, draft: Draft): void {
    const { processor, cache } = this.#partition;
    const key = typeof found === 'string' ? (cache.get(found) ?? cacheNewKey(this.#partition, found)) : found;
    const now = Math.max(record.timestamp, processor.clock(key.state));
    this.deadlines(key, now, draft);
    const outcome = processor.onRecord(key.state, value, now);
    const isUnborn = key.seq < 0 && !draft.touched.has(key);
    if (outcome.kind === 'reject') {
      if (isUnborn) cache.delete(key.key);
      return this.#refuse(record, outcome, 'fold', draft);
    }
    processor.advance(key.state, now);
    if (isUnborn && outcome.kind === 'skip' && processor.isBlank?.(key.state) === true) {
      cache.delete(key.key);
      draft.tally.skip(outcome.reason);
      return;
    }
    key.due = processor.nextDue(key.state);
    this.#touch(key, draft);
    if (now > draft.now) draft.now = now;
    if (outcome.kind === 'skip') {
      draft.tally.skip(outcome.reason);
      this.#contribute(outcome.contributions);
    } else {
      draft.tally.applied += 1;
      this.#collect(outcome, key, draft);
    }
  }

  /** Applies each of a key's deadlines up to `until`, in order. */
  deadlines(key: CachedKey, until: Instant, draft: Draft): void {
    const { processor } = this.#partition;
    while (key.due <= until) {
      const due = key.due;
      if (due > draft.now) draft.now = due;
      this.#collect(processor.onDue(key.state, due), key, draft);
      key.due = processor.nextDue(key.state);
      if (key.due <= due) {
        throw new PipelineError('invariant_broken', `${processor.name}: the deadline after ${due} is ${key.due}`, {
          retriable: false,
        });
      }
      this.#touch(key, draft);
    }
  }

  /** Evaluates a key anew as of `until` unless it is of the current revision; its document is written anew in any case. */
  revise(key: CachedKey, until: Instant, draft: Draft): void {
    const { processor } = this.#partition;
    const now = Math.max(until, processor.clock(key.state));
    this.deadlines(key, now, draft);
    if (isOutdated(processor, key.state)) {
      if (now > draft.now) draft.now = now;
      this.#collect(processor.revisions.revise(key.state, now), key, draft);
      key.due = processor.nextDue(key.state);
    }
    this.#touch(key, draft);
  }

  /** Publishes what is held back: record time ends at `now`. */
  atEnd(key: CachedKey, now: Instant, draft: Draft): void {
    const { processor } = this.#partition;
    if (processor.atEnd === undefined) return;
    const applied = processor.atEnd(key.state, now);
    if (applied.outputs.length === 0) return;
    this.#collect(applied, key, draft);
    key.due = processor.nextDue(key.state);
    this.#touch(key, draft);
  }

  #touch(key: CachedKey, draft: Draft): void {
    const before = draft.touched.size;
    if (draft.touched.add(key).size === before) return;
    draft.bytes += key.packedBytes + key.key.length + STATE_GROWTH_BYTES;
  }

  /** Publishes what the processor's ledger says as of the draft's time. */
  ledger(now: Instant, draft: Draft): void {
    const { processor, totals, at } = this.#partition;
    const outputs = processor.totals.ledger?.publish(totals, now, at.partition) ?? [];
    for (const output of outputs) this.#output(output, Buffer.from(output.key), draft);
  }

  #collect({ outputs, contributions }: Applied<unknown>, { key: name }: CachedKey, draft: Draft): void {
    this.#contribute(contributions);
    for (const output of outputs) {
      if (output === null) {
        const before = PACKING.length;
        PACKING.add(null);
        draft.outputs.push(null);
        draft.bytes += PACKING.length - before;
      } else {
        // Most outputs are of the record's own key.
        const own = this.#record?.key ?? null;
        const key = own !== null && output.key === name ? own : Buffer.from(output.key);
        this.#output(
          output.value instanceof WholeRecordValue ? this.#ofWhole(output, output.value) : output,
          key,
          draft,
        );
      }
    }
  }

  #contribute(contributions: readonly unknown[] | undefined): void {
    if (contributions === undefined) return;
    const { processor, totals } = this.#partition;
    for (const each of contributions) processor.totals.contribute(totals, each);
  }

  #output(output: Output, key: Buffer, draft: Draft): void {
    const before = PACKING.length;
    draft.outputs.push(PACKING.encode(output, key, this.#ports.codec, null));
    draft.bytes += PACKING.length - before;
  }

  /** The output with a value made of the record in hand, decoded once more with every field. */
  #ofWhole(output: Output, { make }: WholeRecordValue): Output {
    const { topic } = this.#partition.at;
    const bytes = this.#record?.value ?? null;
    const whole = bytes === null ? 'null_value' : this.#ports.codec.decode(topic, bytes);
    if (typeof whole === 'string') {
      const message = `${this.#partition.processor.name}: there is no whole record to hand on: ${whole}`;
      throw new PipelineError('invariant_broken', message, { retriable: false });
    }
    return { ...output, value: make(whole) };
  }

  #refuse(record: LogRecord, refusal: Refusal, stage: 'decode' | 'fold', draft: Draft): void {
    const { at } = this.#partition;
    draft.tally.reject(refusal.reason);
    const deadLetterTopic = this.#ports.topics.deadLetterTopic(at.topic, this.#group);
    const letter = deadLetter(record, refusal, { ...at, group: this.#group, stage, deadLetterTopic });
    PACKING.add(letter);
    draft.outputs.push(letter);
    draft.bytes += letterBytes(letter);
  }

  #isUpstreamRepeat(record: LogRecord): boolean {
    const header = record.headers[POSITION_HEADER];
    if (header === undefined) return false;
    const position = parsePosition(header);
    if (position === null || !this.#isWriter(position.source)) return false;
    const { sources } = this.#partition;
    if (isRepeat(sources.get(position.source), position)) return true;
    sources.set(position.source, position);
    return false;
  }

  /** Whether the catalog names the source's group as a writer of this topic: anybody else's positions mean nothing here. */
  #isWriter(source: string): boolean {
    let known = this.#counts.get(source);
    if (known === undefined) {
      known = this.#writers.includes(groupOf(source));
      // Bounded: a source that nobody writes is not worth remembering.
      if (known) this.#counts.set(source, true);
    }
    return known;
  }
}

/** A key of a batch: as it is cached, else by its name. */
export type FoundKey = CachedKey | string;

/**
 * Looks the keys of a batch's records up, from the record at `from` on, so that no text is made of a key twice; leaves
 * undefined what need not be looked up. Answers the names of those that must be read before the batch is folded.
 */
export function findKeys(
  { cache, next }: OwnedPartition,
  records: readonly LogRecord[],
  from: number,
  found: (FoundKey | undefined)[],
): string[] {
  const missing = new Set<string>();
  for (let index = from; index < records.length; index++) {
    const record = records[index];
    if (record === undefined || record.key === null || record.offset < next) continue;
    // What was found for an earlier block may have been evicted since.
    const before = found[index];
    const name = before === undefined ? record.key.toString() : typeof before === 'string' ? before : before.key;
    const key = cache.get(name);
    found[index] = key ?? name;
    if (key === undefined) missing.add(name);
  }
  return [...missing];
}
