import { PipelineError } from '../core/errors.ts';
import type { Applied, Instant } from '../core/processor.ts';
import type { BlockOutput } from './block.ts';
import { deadLetter, decodeRefusal, letterBytes, type Refusal } from './dead-letter.ts';
import { cacheNewKey } from './cached-keys.ts';
import type { CachedKey, OwnedPartition } from './owned-partition.ts';
import { groupName, type PipelinePorts } from './pipeline-ports.ts';
import type { LogRecord } from './ports.ts';
import { groupOf, isRepeat, parsePosition, POSITION_HEADER } from './position.ts';
import { Tally } from './tally.ts';

/** What a block will say, while it is being folded. */
export interface Draft {
  readonly outputs: (BlockOutput | null)[];
  readonly touched: Set<CachedKey>;
  readonly tally: Tally;
  /** An estimate of the block's size. */
  bytes: number;
  /** The last record that could be decoded. */
  newest: object | null;
}

export function newDraft(): Draft {
  return { outputs: [], touched: new Set(), tally: new Tally(), bytes: 0, newest: null };
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

  constructor(partition: OwnedPartition, ports: PipelinePorts) {
    this.#partition = partition;
    this.#ports = ports;
    this.#group = groupName(partition.processor);
    this.#writers = ports.topics.writers(partition.at.topic);
  }

  /** One consumed record: exactly one outcome. */
  record(record: LogRecord, draft: Draft): void {
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
    this.#apply(record, record.key.toString(), value, draft);
  }

  #apply(record: LogRecord, name: string, value: object, draft: Draft): void {
    const { processor, cache } = this.#partition;
    const key = cache.get(name) ?? cacheNewKey(this.#partition, name);
    const now = Math.max(record.timestamp, processor.clock(key.state));
    this.deadlines(key, now, draft);
    const outcome = processor.onRecord(key.state, value, now);
    if (outcome.kind === 'reject') {
      if (key.seq < 0 && !draft.touched.has(key)) cache.delete(name);
      return this.#refuse(record, outcome, 'fold', draft);
    }
    processor.advance(key.state, now);
    key.due = processor.nextDue(key.state);
    this.#touch(key, draft);
    if (outcome.kind === 'skip') {
      draft.tally.skip(outcome.reason);
    } else {
      draft.tally.applied += 1;
      this.#collect(outcome, draft);
    }
  }

  /** Applies each of a key's deadlines up to `until`, in order. */
  deadlines(key: CachedKey, until: Instant, draft: Draft): void {
    const { processor } = this.#partition;
    while (key.due <= until) {
      const due = key.due;
      this.#collect(processor.onDue(key.state, due), draft);
      key.due = processor.nextDue(key.state);
      if (key.due <= due) {
        throw new PipelineError('invariant_broken', `${processor.name}: the deadline after ${due} is ${key.due}`, {
          retriable: false,
        });
      }
      this.#touch(key, draft);
    }
  }

  /** Publishes what is held back: record time ends at `now`. */
  atEnd(key: CachedKey, now: Instant, draft: Draft): void {
    const { processor } = this.#partition;
    if (processor.atEnd === undefined) return;
    const applied = processor.atEnd(key.state, now);
    if (applied.outputs.length === 0) return;
    this.#collect(applied, draft);
    key.due = processor.nextDue(key.state);
    this.#touch(key, draft);
  }

  #touch(key: CachedKey, draft: Draft): void {
    if (draft.touched.has(key)) return;
    draft.touched.add(key);
    draft.bytes += key.packedBytes + key.key.length + STATE_GROWTH_BYTES;
  }

  #collect(applied: Applied<unknown>, draft: Draft): void {
    const { processor, totals } = this.#partition;
    for (const addition of applied.contributions ?? []) processor.totals.contribute(totals, addition);
    for (const output of applied.outputs) {
      if (output === null) {
        draft.outputs.push(null);
        continue;
      }
      const value = this.#ports.codec.encode(output.topic, output.value);
      const key = Buffer.from(output.key);
      draft.bytes += value.length + key.length + 32;
      draft.outputs.push({ topic: output.topic, key, value, timestamp: output.timestamp, headers: {} });
    }
  }

  #refuse(record: LogRecord, refusal: Refusal, stage: 'decode' | 'fold', draft: Draft): void {
    const { at } = this.#partition;
    draft.tally.reject(refusal.reason);
    const deadLetterTopic = this.#ports.topics.deadLetterTopic(at.topic, this.#group);
    const letter = deadLetter(record, refusal, { ...at, group: this.#group, stage, deadLetterTopic });
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

/** The keys of a batch that must be read before it is folded. */
export function missingKeys(partition: OwnedPartition, records: readonly LogRecord[]): string[] {
  const missing = new Set<string>();
  for (const record of records) {
    if (record.key === null || record.offset < partition.next) continue;
    const name = record.key.toString();
    if (!partition.cache.has(name)) missing.add(name);
  }
  return [...missing];
}
