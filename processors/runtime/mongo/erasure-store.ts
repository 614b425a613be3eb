import { Binary, type Collection } from 'mongodb';
import type { BlockBodies, ErasureReceipt, ErasureStore, StoredBlock } from '../erasure-store.ts';
import type { Meter } from '../meter.ts';
import { RING_SLOTS, type TopicPartition } from '../ports.ts';
import { CausalSessions } from './causal-sessions.ts';
import { beginningWith, journalOf, stateOf } from './collections.ts';
import { connectCommand } from './command-client.ts';
import type { StateDocument } from './documents.ts';
import { copyOfBytes, type BlockDocument } from './journal-documents.ts';
import { toPipelineError, unreadable } from './mongo-errors.ts';
import type { MongoStoreConfig } from './store.ts';

export const ERASURES_COLLECTION = 'erasures.v1';

const KEYS_PAGE = 10_000;
/** A block may have some megabytes. */
const BLOCKS_PAGE = 4;

interface ReceiptDocument {
  _id: string;
  brandId: string;
  subjects: string[];
  orderedAt: Date;
  by: string;
  note: string;
  finishedAt: Date | null;
  counts: Record<string, number>;
}

/** Rejects with a ConfigurationError for an address that is none. */
export async function openErasureStore(
  config: Pick<MongoStoreConfig, 'uri' | 'database'>,
  meter: Meter,
): Promise<ErasureStore> {
  const client = await connectCommand(config.uri);
  const database = client.db(config.database);
  const sessions = new CausalSessions(client, meter);
  const receipts: Collection<ReceiptDocument> = database.collection(ERASURES_COLLECTION);
  const journal = (processor: string): Collection<BlockDocument> => database.collection(journalOf(processor));

  return {
    async *keys(processor, prefix) {
      const states = database.collection<StateDocument>(stateOf(processor));
      try {
        const found = states
          .find({ _id: beginningWith(prefix) }, { projection: { _id: 1 }, batchSize: KEYS_PAGE })
          .sort({ _id: 1 });
        for await (const { _id } of found) yield _id;
      } catch (error) {
        throw toPipelineError(error, 'erasure_keys');
      }
    },

    async *blocks(processor, at) {
      const { collectionName } = journal(processor);
      const wanted = at === null ? {} : { _id: beginningWith(`${placeOf(at)}/`) };
      const projection = { seq: 1, nonce: 1, states: 1, outputs: 1 };
      try {
        const found = journal(processor).find(wanted, { projection, batchSize: BLOCKS_PAGE });
        for await (const document of found) yield blockOf(document, collectionName);
      } catch (error) {
        throw toPipelineError(error, 'erasure_blocks');
      }
    },

    async rewrite(processor, { at, seq, nonce, states: statesBefore, outputs: outputsBefore }, { states, outputs }) {
      // What it held, too: another erasure may have rewritten it since, which changes neither seq nor nonce.
      const before = { states: new Binary(statesBefore), outputs: new Binary(outputsBefore) };
      const changed = await sessions.run('erasure_rewrite', (session) =>
        journal(processor).updateOne(
          { _id: `${placeOf(at)}/${seq % RING_SLOTS}`, seq, nonce, ...before },
          { $set: { states: new Binary(states), outputs: new Binary(outputs) } },
          { session },
        ),
      );
      return changed.matchedCount === 1;
    },

    async keep({ id, ...receipt }) {
      const document = { ...receipt, subjects: [...receipt.subjects], counts: { ...receipt.counts } };
      const { orderedAt, finishedAt } = receipt;
      const dates = { orderedAt: new Date(orderedAt), finishedAt: finishedAt === null ? null : new Date(finishedAt) };
      await sessions.run('erasure_keep', (session) =>
        receipts.replaceOne({ _id: id }, { ...document, ...dates }, { upsert: true, session }),
      );
    },

    async receipts(brandId, subject) {
      return sessions.run('erasure_receipts', async (session) =>
        (await receipts.find({ brandId, subjects: subject }, { session }).toArray()).map(receiptOf),
      );
    },

    close: () => client.close(),
  };
}

const placeOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

function blockOf(document: Partial<BlockDocument>, collection: string): StoredBlock {
  const [, topic, partition] = /^(.+)\/(\d+)\/\d+$/.exec(document._id ?? '') ?? [];
  if (topic === undefined) throw unreadable(collection, '_id');
  const { seq, nonce } = document;
  if (typeof seq !== 'number') throw unreadable(collection, 'seq');
  if (typeof nonce !== 'string') throw unreadable(collection, 'nonce');
  const bytes = (field: keyof BlockBodies): Buffer => {
    const copied = copyOfBytes(document[field]);
    if (copied === null) throw unreadable(collection, field);
    return copied;
  };
  return {
    at: { topic, partition: Number(partition) },
    ...{ seq, nonce, states: bytes('states'), outputs: bytes('outputs') },
  };
}

function receiptOf({ _id, orderedAt, finishedAt, ...receipt }: ReceiptDocument): ErasureReceipt {
  if (!(orderedAt instanceof Date)) throw unreadable(ERASURES_COLLECTION, 'orderedAt');
  return { id: _id, ...receipt, orderedAt: orderedAt.getTime(), finishedAt: finishedAt?.getTime() ?? null };
}
