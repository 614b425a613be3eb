import type { Collection } from 'mongodb';
import {
  CLAIM_MS,
  type ClaimedLetter,
  type DeadLetterReceipts,
  type Receipt,
  type ReceiptEvent,
  type ReceiptStamp,
  type ReceiptStatus,
} from '../dead-letter-receipts.ts';
import type { Meter } from '../meter.ts';
import { CausalSessions } from './causal-sessions.ts';
import { connectCommand } from './command-client.ts';
import { throwUnlessTaken, unreadable } from './mongo-errors.ts';
import type { MongoStoreConfig } from './store.ts';

export const RECEIPTS_COLLECTION = 'dead-letters.v1.audit';
const STATUSES: readonly unknown[] = ['redriving', 'redriven', 'discarded'] satisfies ReceiptStatus[];

interface EventDocument {
  status: ReceiptStatus;
  at: Date;
  by: string;
  run: string;
  note: string;
}

interface ReceiptDocument extends EventDocument {
  _id: string;
  facts: Readonly<Record<string, unknown>>;
  history: EventDocument[];
}

/** Rejects with a ConfigurationError for an address that is none. */
export async function openDeadLetterReceipts(
  config: Pick<MongoStoreConfig, 'uri' | 'database'>,
  meter: Meter,
): Promise<DeadLetterReceipts> {
  const client = await connectCommand(config.uri);
  const sessions = new CausalSessions(client, meter);
  const receipts: Collection<ReceiptDocument> = client.db(config.database).collection(RECEIPTS_COLLECTION);

  return {
    async find(ids) {
      if (ids.length === 0) return new Map();
      const found = await sessions.run('receipts_find', (session) =>
        receipts.find({ _id: { $in: [...ids] } }, { session }).toArray(),
      );
      return new Map(found.map((document) => [document._id, read(document)]));
    },

    async claim(letters, status, stamp, again) {
      if (letters.length === 0) return new Set();
      const event = eventOf(status, stamp);
      const free = [
        { status: 'redriving' as const, at: { $lte: new Date(stamp.at - CLAIM_MS) } },
        ...(again ? [{ status: { $in: ['redriven', 'discarded'] as ReceiptStatus[] } }] : []),
      ];
      const operations = letters.map(({ id, facts }: ClaimedLetter) => ({
        updateOne: {
          // A letter that somebody else has a say in is not found, so that the insert meets its receipt and fails.
          filter: { _id: id, $or: free },
          update: { $set: { ...event, facts }, $push: { history: event } },
          upsert: true,
        },
      }));
      return sessions.run('receipts_claim', async (session) => {
        await receipts.bulkWrite(operations, { ordered: false, session }).catch(throwUnlessTaken);
        const ids = letters.map(({ id }) => id);
        const mine = { _id: { $in: ids }, run: stamp.run, status };
        const found = await receipts.find(mine, { session, projection: { _id: 1 } }).toArray();
        return new Set(found.map(({ _id }) => _id));
      });
    },

    async settle(ids, stamp) {
      const event = eventOf('redriven', stamp);
      const mine = { _id: { $in: [...ids] }, run: stamp.run, status: 'redriving' as const };
      await sessions.run('receipts_settle', (session) =>
        receipts.updateMany(mine, { $set: event, $push: { history: event } }, { session }),
      );
    },

    close: () => client.close(),
  };
}

function eventOf(status: ReceiptStatus, { at, by, run, note }: ReceiptStamp): EventDocument {
  return { status, at: new Date(at), by, run, note };
}

function read({ history, ...document }: ReceiptDocument): Receipt {
  const events = Array.isArray(history) ? history : [];
  return { ...readEvent(document), history: events.map(readEvent) };
}

function readEvent({ status, at, by, run, note }: Partial<EventDocument>): ReceiptEvent {
  if (status === undefined || !STATUSES.includes(status)) throw unreadable(RECEIPTS_COLLECTION, 'status');
  if (!(at instanceof Date)) throw unreadable(RECEIPTS_COLLECTION, 'at');
  return { status, at: at.getTime(), by: String(by), run: String(run), note: String(note ?? '') };
}
