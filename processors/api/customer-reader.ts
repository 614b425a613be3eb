import { subjectKey } from '../core/identity.ts';
import { ByteReader } from '../core/packing.ts';
import type { CustomerProcessor } from '../customer/processor.ts';
import type { CustomerState } from '../customer/state.ts';
import { unpackStates } from '../runtime/block.ts';
import type { OwnedPartition } from '../runtime/owned-partition.ts';
import { partitionOfKey } from '../runtime/partitioner.ts';
import { storeName } from '../runtime/pipeline-ports.ts';
import type { EventLog, Store, TopicPartition } from '../runtime/ports.ts';
import { Problem } from './problem.ts';

/** A customer as it was found. */
export interface FoundCustomer {
  readonly key: string;
  readonly state: CustomerState;
  /** `memory`: this process folds the customer; `journal`: a block newer than the document; else the document. */
  readonly readFrom: 'memory' | 'journal' | 'document';
  /** Nothing newer was in the journal. */
  readonly isNewest: boolean;
}

export interface CustomerSources {
  readonly store: Pick<Store, 'journal' | 'documents'>;
  readonly log: Pick<EventLog, 'ranges'>;
  /** The partitions of this process: what they have folded is at hand. */
  readonly owned: ReadonlySet<OwnedPartition>;
}

/** In the order in which somebody who is known by several is the one or the other. */
const KINDS = ['u:', 'e:', 'a:'];
/** More blocks than this are not read for one customer; they hold some thousand events each. */
const BLOCKS_MAX = 32;
const BLOCKS_AT_ONCE = 4;

/** Under which keys somebody is looked for who is known as `id`: with `u:`, `e:` or `a:` in front, or any of them. */
export function keysOf(brand: string, id: string): string[] {
  const subjects = KINDS.some((kind) => id.startsWith(kind)) ? [id] : KINDS.map((kind) => kind + id);
  return subjects.map((subject) => `${brand}|${subject}`);
}

/** Reads customers as they are now, documents and what the journal has beyond them. */
export class CustomerReader {
  readonly #customer: CustomerProcessor;
  readonly #sources: CustomerSources;
  /** Never changes (ARCHITECTURE.md). */
  #partitions: number | null = null;

  constructor(customer: CustomerProcessor, sources: CustomerSources) {
    this.#customer = customer;
    this.#sources = sources;
  }

  /**
   * The first that there is and that was not erased; of an identifier that is linked, the customer it is part of.
   *
   * @throws Problem when that one has not folded anything yet
   */
  async find(keys: readonly string[]): Promise<FoundCustomer | null> {
    for (const key of keys) {
      const found = await this.#read(key);
      if (found !== null && !this.#customer.isErased(found.state)) return this.#followed(found);
    }
    return null;
  }

  /** Links go upwards only, so this ends. */
  async #followed(found: FoundCustomer): Promise<FoundCustomer | null> {
    const { redirect } = this.#customer.links(found.state);
    if (redirect === null) return found;
    const key = subjectKey(found.state.brandId, redirect);
    const next = await this.#read(key);
    if (next !== null) return this.#customer.isErased(next.state) ? null : this.#followed(next);
    const fix = `It is part of ${key}, which has not folded that yet: ask again in a moment.`;
    throw new Problem(404, 'The customer is on its way to another identifier.', fix, 'id');
  }

  async #read(key: string): Promise<FoundCustomer | null> {
    const at = await this.#partitionOf(key);
    for (const partition of this.#sources.owned) {
      const { processor, at: own, mustTakeOver, dirty } = partition;
      if (mustTakeOver || processor.name !== this.#customer.name) continue;
      if (own.topic !== at.topic || own.partition !== at.partition) continue;
      const newer = dirty.get(key);
      if (newer !== undefined) return this.#found(key, newer.packed, 'memory', true);
      const stored = await this.#document(key);
      return stored === null ? null : this.#found(key, stored.state, 'document', true);
    }
    return this.#readBehind(key, at);
  }

  /** Another process folds the customer: its newest blocks are read after the document. */
  async #readBehind(key: string, at: TopicPartition): Promise<FoundCustomer | null> {
    const journal = this.#sources.store.journal(storeName(this.#customer));
    // In this order: what is flushed after the headers were read is in the document, or still in its block.
    const headers = await journal.headers(at);
    const head = headers.reduce((newest, header) => (header.seq > newest.seq ? header : newest), {
      seq: -1,
      flushedTo: -1,
    });
    const stored = await this.#document(key);
    const after = Math.max(head.flushedTo, stored?.seq ?? -1);
    const lowest = Math.max(after, head.seq - BLOCKS_MAX);
    let isWhole = true;
    for (let to = head.seq; to > lowest; to -= BLOCKS_AT_ONCE) {
      const from = Math.max(lowest + 1, to - BLOCKS_AT_ONCE + 1);
      const blocks = await journal.blocks(at, from, to);
      // A slot that was given away meanwhile: its block is flushed, after the document was read.
      if (blocks.length < to - from + 1) isWhole = false;
      for (const { states } of blocks.toReversed()) {
        for (const each of unpackStates(states)) {
          if (each.key === key) return this.#found(key, each.state, 'journal', isWhole);
        }
      }
    }
    return stored === null ? null : this.#found(key, stored.state, 'document', isWhole && lowest === after);
  }

  async #document(key: string) {
    const [stored] = await this.#sources.store.documents(storeName(this.#customer)).load([key]);
    return stored ?? null;
  }

  #found(key: string, packed: Buffer, readFrom: FoundCustomer['readFrom'], isNewest: boolean): FoundCustomer {
    return { key, state: this.#customer.state.unpack(new ByteReader(packed)), readFrom, isNewest };
  }

  async #partitionOf(key: string): Promise<TopicPartition> {
    const [topic = ''] = this.#customer.inputs;
    this.#partitions ??= (await this.#sources.log.ranges(topic)).length;
    return { topic, partition: partitionOfKey(Buffer.from(key), this.#partitions) };
  }
}
