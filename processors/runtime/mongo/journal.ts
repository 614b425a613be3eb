import { BSON, MongoServerError } from 'mongodb';
import type { ClientSession, Collection, FindOptions } from 'mongodb';
import { setTimeout as delay } from 'node:timers/promises';
import { PipelineError } from '../../core/errors.ts';
import { RING_SLOTS } from '../ports.ts';
import type { Block, BlockHeader, BlockLedger, Journal, TopicPartition } from '../ports.ts';
import type { CausalSessions } from './causal-sessions.ts';
import { beginningWith } from './collections.ts';
import { blockFrom, headerFrom, ledgerFrom, toDocument } from './journal-documents.ts';
import type { BlockDocument } from './journal-documents.ts';
import { isDuplicateKey } from './mongo-errors.ts';

const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
const HEADER = { seq: 1, nonce: 1, epoch: 1, next: 1, flushedTo: 1, emittedTo: 1, last: 1 } as const;
/** Between two tries of a write whose result is unknown. */
const RETRY_MS = 100;

type Verdict = 'written' | 'lost' | 'open';

/** The journal of one processor: the collection `<processor>.journal`, one document a slot. */
export class MongoJournal implements Journal {
  readonly #blocks: Collection<BlockDocument>;
  readonly #sessions: CausalSessions;
  readonly #timeoutMs: number;
  /** A read waits for the snapshot it asked for, but not for ever; one reply holds the whole ring up to 16 MiB. */
  readonly #whole: { readonly maxTimeMS: number; readonly batchSize: number };

  constructor(blocks: Collection<BlockDocument>, sessions: CausalSessions, timeoutMs: number) {
    this.#blocks = blocks;
    this.#sessions = sessions;
    this.#timeoutMs = timeoutMs;
    this.#whole = { maxTimeMS: timeoutMs, batchSize: RING_SLOTS + 1 };
  }

  async headers(at: TopicPartition): Promise<BlockHeader[]> {
    const ring = { _id: beginningWith(`${at.topic}/${at.partition}/`) };
    return this.#sessions.run('journal_headers', async (session) => {
      const found = this.#blocks.find(ring, { session, projection: HEADER, ...this.#whole });
      return (await found.toArray()).map((document) => headerFrom(document, this.#blocks.collectionName));
    });
  }

  async blocks(at: TopicPartition, from: number, to: number): Promise<Block[]> {
    return this.#read(at, from, to, {}, blockFrom);
  }

  async ledgers(at: TopicPartition, from: number, to: number): Promise<BlockLedger[]> {
    return this.#read(at, from, to, { projection: { seq: 1, ledger: 1 } }, ledgerFrom);
  }

  async #read<Found extends { readonly seq: number }>(
    at: TopicPartition,
    from: number,
    to: number,
    options: FindOptions,
    make: (document: BlockDocument, collection: string) => Found,
  ): Promise<Found[]> {
    const slots = new Set<string>();
    for (let seq = from; seq <= to && slots.size < RING_SLOTS; seq++) slots.add(slotId(at, seq));
    if (slots.size === 0) return [];
    const found = await this.#sessions.run('journal_blocks', async (session) => {
      const filter = { _id: { $in: [...slots] }, seq: { $gte: from, $lte: to } };
      const documents = await this.#blocks.find(filter, { session, ...options, ...this.#whole }).toArray();
      return documents.map((document) => make(document, this.#blocks.collectionName));
    });
    return found.sort((a, b) => a.seq - b.seq);
  }

  async write(at: TopicPartition, block: Block): Promise<void> {
    const document = toDocument(slotId(at, block.seq), block);
    if (BSON.calculateObjectSize(document) > MAX_DOCUMENT_BYTES) {
      throw new PipelineError('invariant_broken', 'a journal block is larger than a document may be', {
        retriable: false,
      });
    }
    const deadlineMs = performance.now() + this.#timeoutMs;
    for (;;) {
      const failure = await this.#try(document);
      if (failure === null) return;
      // Only an unknown result is worth the same write again; it is settled when the nonce can be seen.
      if (failure.code !== 'store_unavailable' || !failure.retriable) throw failure;
      if (performance.now() + RETRY_MS >= deadlineMs) throw failure;
      await delay(RETRY_MS);
    }
  }

  /** One write and, when it did not apply, one look. Answers why it is not known to be written, or null. */
  async #try(document: BlockDocument): Promise<PipelineError | null> {
    try {
      const verdict = await this.#sessions.run('journal_write', async (session) => {
        const applied = await this.#put(document, session);
        return applied ? 'written' : this.#look(document, session);
      });
      if (verdict === 'written') return null;
      if (verdict === 'lost') {
        return new PipelineError('ownership_lost', 'the journal slot holds a block of another owner', {
          retriable: true,
        });
      }
      return new PipelineError('store_unavailable', 'the journal write did not apply', { retriable: true });
    } catch (error) {
      if (error instanceof PipelineError) return error;
      throw error;
    }
  }

  /** Whether this very write applied; false: the slot held something else than it had to. */
  async #put(document: BlockDocument, session: ClientSession): Promise<boolean> {
    const { _id, seq } = document;
    if (seq >= RING_SLOTS) {
      const filter = { _id, seq: seq - RING_SLOTS };
      const result = await this.#blocks.replaceOne(filter, document, { session });
      return result.matchedCount === 1;
    }
    try {
      await this.#blocks.insertOne(document, { session });
      return true;
    } catch (error) {
      if (error instanceof MongoServerError && isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /** Whose block the slot holds, read no earlier than the write that did not apply (same session). */
  async #look(document: BlockDocument, session: ClientSession): Promise<Verdict> {
    const { _id, seq, nonce } = document;
    const options = { session, projection: { seq: 1, nonce: 1 }, maxTimeMS: this.#timeoutMs };
    const held = await this.#blocks.findOne({ _id }, options);
    if (held?.nonce === nonce) return 'written';
    // What stood in the way was rolled back by a failover meanwhile: the place is open again.
    const open = seq < RING_SLOTS ? held === null : held?.seq === seq - RING_SLOTS;
    return open ? 'open' : 'lost';
  }
}

function slotId(at: TopicPartition, seq: number): string {
  return `${at.topic}/${at.partition}/${seq % RING_SLOTS}`;
}
