import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NEVER } from '../../processors/core/processor.ts';
import { openMongoStore } from '../../processors/runtime/mongo/store.ts';
import { RING_SLOTS } from '../../processors/runtime/ports.ts';
import type { Block, DocumentWrite, Store } from '../../processors/runtime/ports.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { openTcpProxy } from '../harness/tcp-proxy.ts';
import { logInto, openMongodb, PROCESSOR, silentMeter } from './stores.ts';
import type { LogLine, OpenedMongodb } from './stores.ts';

/** A time of the replica set; prints as a decimal number of 64 bits. */
interface Time {
  toString(): string;
}

const AT = { topic: 'probe-events.v1', partition: 0 };
const STATE = `${PROCESSOR}.state`;
const JOURNAL = `${PROCESSOR}.journal`;

function blockAt(seq: number): Block {
  const nothing = Buffer.alloc(0);
  return {
    ...{ seq, nonce: randomUUID(), epoch: 1, next: seq, flushedTo: -1, emittedTo: -1, last: null, sources: new Map() },
    ...{ totals: nothing, ledger: nothing, states: nothing, outputs: nothing },
  };
}

function writeOf(key: string, seq: number, more: Partial<DocumentWrite> = {}): DocumentWrite {
  return { key, seq, partition: 0, state: Buffer.from('state'), due: NEVER, summary: {}, ...more };
}

describeWithServices('the MongoDB store', () => {
  let opened: OpenedMongodb;
  let store: Store;

  beforeAll(async () => {
    opened = await openMongodb();
    store = opened.mine;
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  test('lays documents out as documented, and a replace leaves nothing of the old one', async () => {
    const due = Date.UTC(2026, 0, 1);
    const documents = store.documents(PROCESSOR);
    await documents.store([writeOf('demo|u:layout', 1, { due, summary: { at: 5, stage: 'NEW' } })]);
    const states = opened.database.collection(STATE);
    const filter = { _id: { $eq: 'demo|u:layout' } } as object;
    expect(await states.findOne(filter, { promoteBuffers: true })).toEqual({
      ...{ _id: 'demo|u:layout', partition: 0, seq: 1, due: new Date(due) },
      ...{ state: Buffer.from('state'), summary: { at: 5, stage: 'NEW' } },
    });
    await documents.store([writeOf('demo|u:layout', 2)]);
    const replaced = await states.findOne(filter);
    expect(Object.keys(replaced ?? {}).sort()).toEqual(['_id', 'partition', 'seq', 'state', 'summary']);
    expect(replaced?.['summary']).toEqual({});
    await store.journal(PROCESSOR).write({ topic: 'layout.v1', partition: 3 }, blockAt(7));
    expect(await opened.database.collection(JOURNAL).countDocuments({ _id: { $eq: 'layout.v1/3/7' } as object })).toBe(
      1,
    );
  });

  test('reads a block that was written before there were epochs as one of the first', async () => {
    const at = { topic: 'epochless.v1', partition: 0 };
    await store.journal(PROCESSOR).write(at, blockAt(0));
    await opened.database
      .collection(JOURNAL)
      .updateOne({ _id: { $eq: 'epochless.v1/0/0' } as object }, { $unset: { epoch: 1 } });
    expect(await store.journal(PROCESSOR).headers(at)).toEqual([expect.objectContaining({ seq: 0, epoch: 1 })]);
    expect(await store.journal(PROCESSOR).blocks(at, 0, 0)).toEqual([expect.objectContaining({ seq: 0, epoch: 1 })]);
  });

  test('reads a block that was written before the last record was remembered as one that knows none', async () => {
    const at = { topic: 'markless.v1', partition: 0 };
    await store.journal(PROCESSOR).write(at, { ...blockAt(0), last: { offset: 7, timestamp: 1, crc: 2 } });
    await opened.database
      .collection(JOURNAL)
      .updateOne({ _id: { $eq: 'markless.v1/0/0' } as object }, { $unset: { last: 1 } });
    expect(await store.journal(PROCESSOR).headers(at)).toEqual([expect.objectContaining({ seq: 0, last: null })]);
    expect(await store.journal(PROCESSOR).blocks(at, 0, 0)).toEqual([expect.objectContaining({ seq: 0, last: null })]);
  });

  test('finds what is due by walking no more of the index than the page holds', async () => {
    const due = Date.UTC(2026, 5, 1);
    const documents = store.documents(PROCESSOR);
    const keys = Array.from({ length: 600 }, (_, index) => `demo|u:herd-${String(index).padStart(3, '0')}`);
    await documents.store(keys.map((key) => writeOf(key, 1, { partition: 9, due })));
    await opened.database.command({ profile: 2 });
    const page = await documents.due(9, due + 1000, { due, key: keys[299] ?? '' }, 100);
    await opened.database.command({ profile: 0 });
    expect(page.map(({ key }) => key)).toEqual(keys.slice(300, 400));
    const profiled = opened.database.collection('system.profile');
    const query = await profiled.findOne({ op: 'query', ns: `${opened.database.databaseName}.${STATE}` });
    expect(query?.['planSummary']).toContain('IXSCAN');
    expect(query?.['hasSortStage']).toBeUndefined();
    expect(query?.['keysExamined']).toBeLessThan(110);
    expect(query?.['docsExamined']).toBeLessThan(110);
    await profiled.drop();
  });

  test('reads no earlier than the newest write of this process', async () => {
    const now = async () => (await opened.database.command({ ping: 1 }))['operationTime'] as Time;
    await opened.database.command({ profile: 2 });
    const before = await now();
    await store.documents(PROCESSOR).store([writeOf('demo|u:causal', 1)]);
    await store.documents(PROCESSOR).load(['demo|u:causal']);
    await store.journal(PROCESSOR).headers(AT);
    await opened.database.command({ profile: 0 });
    const profiled = opened.database.collection('system.profile');
    for (const collection of [STATE, JOURNAL]) {
      const query = await profiled.findOne({ op: 'query', ns: `${opened.database.databaseName}.${collection}` });
      const { readConcern } = query?.['command'] as { readConcern: { level: string; afterClusterTime: Time } };
      expect(readConcern.level).toBe('majority');
      expect(BigInt(String(readConcern.afterClusterTime))).toBeGreaterThan(BigInt(String(before)));
    }
    await profiled.drop();
  });

  test('writes to the journals of a majority, and so that the driver may try again', async () => {
    await opened.database.command({ profile: 2 });
    await store.journal(PROCESSOR).write({ topic: 'concern.v1', partition: 0 }, blockAt(0));
    await opened.database.command({ profile: 0 });
    const profiled = opened.database.collection('system.profile');
    const insert = await profiled.findOne({ op: 'insert', ns: `${opened.database.databaseName}.${JOURNAL}` });
    expect(insert?.['command']).toMatchObject({ writeConcern: { w: 'majority', j: true } });
    expect(insert?.['command']).toHaveProperty('txnNumber');
    await profiled.drop();
  });

  test('tells one refused document from those beside it, and logs no key', async () => {
    const documents = store.documents(PROCESSOR);
    await opened.database.command({ collMod: STATE, validator: { partition: { $lt: 5000 } } });
    const writes = [
      writeOf('demo|u:fine', 1),
      writeOf('demo|u:odd', 1, { partition: 6000 }),
      writeOf('demo|u:also', 1),
    ];
    expect(await documents.store(writes)).toEqual([true, false, true]);
    await opened.database.command({ collMod: STATE, validator: {} });
    expect(await documents.store(writes)).toEqual([true, true, true]);
    const errors = opened.lines.filter(({ level }) => level === 'error');
    expect(errors).toContainEqual(expect.objectContaining({ fields: { documents: 1, code: 121 } }));
    expect(JSON.stringify(errors)).not.toContain('u:odd');
  });

  test.each([
    [STATE, 'demo|u:unreadable', { seq: 1, partition: 0, state: 'text' }],
    [STATE, 'demo|u:unreadable', { partition: 0, state: null }],
    [JOURNAL, 'unreadable.v1/0/0', { seq: '0', nonce: 'x' }],
  ])('refuses to go on from a document of %s that it cannot read', async (collection, _id, fields) => {
    const raw = opened.database.collection(collection);
    await raw.insertOne({ _id, ...fields } as object);
    const read =
      collection === STATE
        ? store.documents(PROCESSOR).load([_id])
        : store.journal(PROCESSOR).headers({ topic: 'unreadable.v1', partition: 0 });
    await expect(read).rejects.toMatchObject({ code: 'store_unreadable', retriable: false });
    await raw.deleteOne({ _id: { $eq: _id } as object });
  });

  test('goes on through an election', async () => {
    const at = { topic: 'election.v1', partition: 0 };
    const journal = store.journal(PROCESSOR);
    let seq = 0;
    await journal.write(at, blockAt(seq++));
    const election = { over: false };
    const stepDown = { replSetStepDown: 1, secondaryCatchUpPeriodSecs: 0, force: true };
    const settled = opened.database
      .admin()
      .command(stepDown)
      .finally(() => (election.over = true));
    while (!election.over || seq < 20) await journal.write(at, blockAt(seq++));
    await settled;
    expect((await journal.headers(at)).length).toBe(Math.min(seq, RING_SLOTS));
  });

  test('settles a journal write whose answer was lost, as often as it is lost', async () => {
    const lines: LogLine[] = [];
    const hello = await opened.database.command({ hello: 1 });
    await using link = await openTcpProxy(String(hello['primary']));
    const loseAnswersTo = (collection: string, times: number): void => {
      link.loseAnswersTo((request) => request.includes(`${PROCESSOR}.${collection}`), times, 'cut');
    };
    const uri = `mongodb://${link.address}/?directConnection=true`;
    const config = { uri, database: opened.database.databaseName, processors: [PROCESSOR], timeoutMs: 15_000 };
    const lossy = await openMongoStore(config, logInto(lines), silentMeter());
    const at = { topic: 'lossy.v1', partition: 0 };
    const journal = lossy.journal(PROCESSOR);
    for (const seq of [0, RING_SLOTS]) {
      // The driver tries twice by itself: the third loss is the journal's own second try.
      loseAnswersTo('journal', 3);
      const block = blockAt(seq);
      await journal.write(at, block);
      expect(link.left()).toBe(0);
      expect(await journal.headers(at)).toEqual([expect.objectContaining({ seq, nonce: block.nonce })]);
    }
    loseAnswersTo('state', 2);
    const documents = lossy.documents(PROCESSOR);
    const writes = ['demo|u:lossy-1', 'demo|u:lossy-2'].map((key) => writeOf(key, 1));
    expect(await documents.store(writes)).toEqual([false, false]);
    expect(lines.at(-1)).toMatchObject({ level: 'error', fields: { documents: 2, code: 'store_unavailable' } });
    expect(await documents.store(writes)).toEqual([true, true]);
    await lossy.close();
  });

  test('measures every operation', async () => {
    await store.ping();
    await store.journal(PROCESSOR).blocks(AT, 0, 1);
    await store.inputMarks(PROCESSOR).read(AT);
    await store.inputMarks(PROCESSOR).raise([{ ...AT, epoch: 1, next: 1, last: null }]);
    expect(new Set(opened.measured)).toEqual(
      new Set([
        ...['ping', 'journal_headers', 'journal_blocks', 'journal_write'],
        ...['documents_load', 'documents_due', 'documents_store', 'input_marks_read', 'input_marks_raise'],
      ]),
    );
  });

  test('says what is wrong with an address, without repeating it', async () => {
    const config = { uri: 'mongo://user:secret@nowhere', database: 'x', processors: [] };
    const failure = await openMongoStore(config, logInto([]), silentMeter()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'ConfigurationError' });
    expect(String(failure)).not.toContain('secret');
    const nobody = { uri: 'mongodb://127.0.0.1:9/', database: 'x', processors: [], timeoutMs: 200 };
    await expect(openMongoStore(nobody, logInto([]), silentMeter())).rejects.toMatchObject({
      ...{ code: 'store_unavailable', retriable: true },
    });
  });

  test('refuses to work once closed', async () => {
    const closed = opened.rival;
    await closed.close();
    await expect(closed.ping()).rejects.toMatchObject({ code: 'store_unavailable', retriable: false });
    await expect(closed.journal(PROCESSOR).write(AT, blockAt(0))).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(() => store.documents('unknown.v1')).toThrow(expect.objectContaining({ code: 'invariant_broken' }));
  });
});
