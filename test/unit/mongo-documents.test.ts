// eslint-disable-next-line @typescript-eslint/no-restricted-imports -- the driver's own error is what has to be judged
import { MongoBulkWriteError, MongoNetworkError, MongoServerError } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { NEVER } from '../../processors/core/processor.ts';
import { MongoDocuments } from '../../processors/runtime/mongo/documents.ts';
import type { DocumentWrite, Log } from '../../processors/runtime/ports.ts';

/**
 * Answers of a bulk that a healthy server does not give on demand. The contract suite shows the rest on a real one.
 */

interface Refusal {
  readonly index: number;
  readonly code: number;
}

interface Answer {
  readonly matched?: number;
  readonly upserted?: number;
  readonly inserted?: number;
  readonly refusals?: readonly Refusal[];
  readonly majorityMissed?: boolean;
  /** What the driver met outside the operations. */
  readonly failure?: Error;
}

const WRITES: readonly DocumentWrite[] = ['a', 'b', 'c'].map((key) => {
  return { key, seq: 1, partition: 0, state: Buffer.alloc(1), due: NEVER, summary: {} };
});

function bulkError(answer: Answer): MongoBulkWriteError {
  const refusals = answer.refusals ?? [];
  const result = {
    matchedCount: answer.matched ?? 0,
    upsertedCount: answer.upserted ?? 0,
    insertedCount: answer.inserted ?? 0,
    getWriteErrors: () => refusals,
    getWriteErrorCount: () => refusals.length,
    getWriteConcernError: () => (answer.majorityMissed === true ? { code: 64 } : undefined),
  };
  // The driver keeps the constructor of its result to itself; these are the members that tell one answer from another.
  return new MongoBulkWriteError(answer.failure ?? { message: 'refused', code: 1 }, result as never);
}

/** The two that a bulk is made of. */
type Operation = { insertOne: { document: { _id: string } } } | { updateOne: { filter: { _id: string } } };

/** The key, with a mark when nothing but an insert was asked for. */
function keyOf(operation: Operation): string {
  return 'insertOne' in operation ? `${operation.insertOne.document._id} new` : operation.updateOne.filter._id;
}

/** Documents on a collection that gives these answers, one a bulk; `sent` holds the keys of each bulk. */
function documentsAnswering(answers: readonly (Answer | 'all stored')[]) {
  const sent: string[][] = [];
  const logged: object[] = [];
  const collection = {
    collectionName: 'probe.v1.state',
    bulkWrite: async (operations: Operation[]) => {
      const answer = answers[sent.length];
      sent.push(operations.map(keyOf));
      if (answer !== undefined && answer !== 'all stored') throw bulkError(answer);
    },
  };
  const sessions = { run: async (_operation: string, action: () => Promise<unknown>) => action() };
  const log: Partial<Log> = { error: (_message, fields = {}) => void logged.push(fields) };
  // Only these members are used by `store`.
  const documents = new MongoDocuments(collection as never, sessions as never, 1000, log as never);
  return { documents, sent, logged };
}

describe('what a bulk of documents did', () => {
  test('everything, when nothing was refused', async () => {
    const { documents, sent } = documentsAnswering(['all stored']);
    expect(await documents.store(WRITES)).toEqual([true, true, true]);
    expect(sent).toEqual([['a', 'b', 'c']]);
  });

  test('a key believed to be new is inserted; where it is stored already, its older state is replaced', async () => {
    const { documents, sent } = documentsAnswering([
      { matched: 1, inserted: 1, refusals: [{ index: 1, code: 11_000 }] },
      'all stored',
    ]);
    expect(await documents.store(WRITES.map((write, index) => ({ ...write, isNew: index > 0 })))).toEqual([
      ...[true, true, true],
    ]);
    expect(sent).toEqual([['a', 'b new', 'c new'], ['b']]);
  });

  test('a replace that met a rival is sent once more, and only that', async () => {
    const { documents, sent } = documentsAnswering([
      { matched: 1, upserted: 1, refusals: [{ index: 1, code: 11_000 }] },
      'all stored',
    ]);
    expect(await documents.store(WRITES)).toEqual([true, true, true]);
    expect(sent).toEqual([['a', 'b', 'c'], ['b']]);
  });

  test('met again, it says nothing of what is stored: the key stays dirty', async () => {
    const met = { matched: 2, refusals: [{ index: 1, code: 11_000 }] };
    const { documents, sent } = documentsAnswering([met, { refusals: [{ index: 0, code: 11_000 }] }]);
    expect(await documents.store(WRITES)).toEqual([true, false, true]);
    expect(sent).toHaveLength(2);
  });

  test('any other refusal concerns that document only, and is not hidden', async () => {
    const { documents, logged } = documentsAnswering([{ upserted: 2, refusals: [{ index: 2, code: 121 }] }]);
    expect(await documents.store(WRITES)).toEqual([true, true, false]);
    expect(logged).toEqual([{ documents: 1, code: 121 }]);
  });

  test.each<[string, Answer]>([
    ['a majority that was not reached leaves all unknown', { inserted: 3, majorityMissed: true }],
    ['also with refusals beside it', { inserted: 2, refusals: [{ index: 1, code: 11_000 }], majorityMissed: true }],
    ['a lost connection, which the driver wraps in the same error', { failure: new MongoNetworkError('lost') }],
    [
      'a connection lost after a part of the bulk was refused',
      { matched: 1, refusals: [{ index: 0, code: 11_000 }], failure: new MongoNetworkError('lost') },
    ],
  ])('%s', async (_title, answer) => {
    const { documents, sent, logged } = documentsAnswering([answer]);
    expect(await documents.store(WRITES)).toEqual([false, false, false]);
    expect(sent).toHaveLength(1);
    expect(logged).toEqual([expect.objectContaining({ documents: 3, code: 'store_unavailable' })]);
  });

  test('a second bulk of unknown fate leaves only what it carried unknown', async () => {
    const { documents } = documentsAnswering([
      {
        matched: 1,
        refusals: [
          { index: 0, code: 11_000 },
          { index: 2, code: 11_000 },
        ],
      },
      { failure: new MongoNetworkError('lost') },
    ]);
    expect(await documents.store(WRITES)).toEqual([false, true, false]);
  });
  test.each([
    ['a user without the role', 13, 'store_unavailable'],
    ['a user that is not let in', 18, 'store_unavailable'],
    ['a request that never works', 9, 'invariant_broken'],
  ])('%s is refused for good: that rejects instead of being tried for ever', async (_title, code, expected) => {
    const failure = new MongoServerError({ message: 'no', code });
    const { documents, sent } = documentsAnswering([{ failure }]);
    await expect(documents.store(WRITES)).rejects.toMatchObject({ code: expected, retriable: false });
    expect(sent).toHaveLength(1);
  });
});
