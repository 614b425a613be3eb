import { describe, expect, test } from 'vitest';
import { OutcomeMeter } from '../../processors/cli/outcome-meter.ts';
import type { ErasureReceipt, ErasureStore, StoredBlock } from '../../processors/runtime/erasure-store.ts';
import { createMemoryErasures } from '../../processors/runtime/memory/erasure-store.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import { openErasureStore } from '../../processors/runtime/mongo/erasure-store.ts';
import { openMongoStore } from '../../processors/runtime/mongo/store.ts';
import { RING_SLOTS, type Block, type Store } from '../../processors/runtime/ports.ts';
import { describeWithServices, sandbox } from '../harness/sandbox.ts';
import { logInto, PROCESSOR, silentMeter } from './stores.ts';

interface Opened extends AsyncDisposable {
  readonly store: Store;
  readonly erasures: ErasureStore;
}

const AT = { topic: 'probe-events.v1', partition: 1 };
const NEIGHBOUR = { topic: 'probe-events.v1', partition: 12 };

function blockOf(seq: number, text: string): Block {
  const positions = { epoch: 1, next: seq, flushedTo: seq - 1, emittedTo: seq, last: null };
  const bodies = { states: Buffer.from(`states of ${text}`), outputs: Buffer.from(`outputs of ${text}`) };
  const rest = { sources: new Map(), totals: Buffer.from('totals'), ledger: Buffer.from('ledger') };
  return { seq, nonce: `nonce of ${text}`, ...positions, ...bodies, ...rest };
}

const receiptOf = (id: string, subjects: readonly string[], more: Partial<ErasureReceipt> = {}): ErasureReceipt => ({
  ...{ id, brandId: 'demo', subjects, orderedAt: 1_000, by: 'mika', note: '4711', finishedAt: null },
  ...{ counts: { orders: 3 }, ...more },
});

async function all<T>(found: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const each of found) list.push(each);
  return list;
}

function cases(open: () => Promise<Opened>): void {
  test('keys are those that begin so, in order, and of one processor', async () => {
    await using place = await open();
    const keys = ['demo|u:2', 'demo|u:1', 'demo2|u:1', 'demo|a:\u{10FFFE}x', 'dem|u:1'];
    const write = { seq: 1, partition: 0, state: Buffer.from('x'), due: Infinity, summary: { brandId: 'demo' } };
    await place.store.documents(PROCESSOR).store(keys.map((key) => ({ ...write, key })));
    expect(await all(place.erasures.keys(PROCESSOR, 'demo|'))).toEqual(['demo|a:\u{10FFFE}x', 'demo|u:1', 'demo|u:2']);
    expect(await all(place.erasures.keys('other.v1', 'demo|'))).toEqual([]);
  });

  test('blocks are those of one partition or of all, with what they hold', async () => {
    await using place = await open();
    const journal = place.store.journal(PROCESSOR);
    await journal.write(AT, blockOf(0, 'a'));
    await journal.write(AT, blockOf(1, 'b'));
    await journal.write(NEIGHBOUR, blockOf(0, 'c'));
    const nonces = async (at: typeof AT | null): Promise<string[]> =>
      (await all(place.erasures.blocks(PROCESSOR, at))).map(({ nonce }) => nonce).sort();
    expect(await nonces(null)).toEqual(['nonce of a', 'nonce of b', 'nonce of c']);
    expect(await nonces(AT)).toEqual(['nonce of a', 'nonce of b']);
    expect(await nonces({ ...AT, partition: 2 })).toEqual([]);
    expect((await all(place.erasures.blocks(PROCESSOR, NEIGHBOUR)))[0]).toEqual({
      ...{ at: NEIGHBOUR, seq: 0, nonce: 'nonce of c' },
      ...{ states: Buffer.from('states of c'), outputs: Buffer.from('outputs of c') },
    });
  });

  test('a block is rewritten in its bodies alone', async () => {
    await using place = await open();
    const journal = place.store.journal(PROCESSOR);
    await journal.write(AT, blockOf(0, 'a'));
    const [block] = await all(place.erasures.blocks(PROCESSOR, AT));
    const bodies = { states: Buffer.from('less'), outputs: Buffer.alloc(0) };
    expect(await place.erasures.rewrite(PROCESSOR, block as StoredBlock, bodies)).toBe(true);
    expect(await journal.blocks(AT, 0, 0)).toEqual([{ ...blockOf(0, 'a'), ...bodies }]);
  });

  test('of two that rewrite the same block one is told that it came too late, and undoes nothing', async () => {
    await using place = await open();
    await place.store.journal(PROCESSOR).write(AT, blockOf(0, 'a'));
    const [block] = (await all(place.erasures.blocks(PROCESSOR, AT))) as [StoredBlock];
    const answers = await Promise.all(
      ['one', 'two'].map((text) =>
        place.erasures.rewrite(PROCESSOR, block, { states: Buffer.from(text), outputs: Buffer.from(text) }),
      ),
    );
    expect(answers.toSorted()).toEqual([false, true]);
    const [kept] = await all(place.erasures.blocks(PROCESSOR, AT));
    expect(kept?.states.toString()).toBe(answers[0] === true ? 'one' : 'two');
  });

  test('a block whose slot was given away is left alone', async () => {
    await using place = await open();
    const journal = place.store.journal(PROCESSOR);
    await journal.write(AT, blockOf(3, 'old'));
    const [block] = (await all(place.erasures.blocks(PROCESSOR, AT))) as [StoredBlock];
    await journal.write(AT, blockOf(3 + RING_SLOTS, 'new'));
    const bodies = { states: Buffer.alloc(0), outputs: Buffer.alloc(0) };
    expect(await place.erasures.rewrite(PROCESSOR, block, bodies)).toBe(false);
    expect(await journal.blocks(AT, 0, 3 + RING_SLOTS)).toEqual([blockOf(3 + RING_SLOTS, 'new')]);
  });

  test('receipts are found by brand and subject, in their newest state', async () => {
    await using place = await open();
    const { erasures } = place;
    await erasures.keep(receiptOf('one', ['hash 1', 'hash 2']));
    await erasures.keep(receiptOf('two', ['hash 2', 'hash 3']));
    await erasures.keep(receiptOf('three', ['hash 2'], { brandId: 'shop' }));
    const done = receiptOf('one', ['hash 1', 'hash 2', 'hash 4'], { finishedAt: 2_000, counts: { states: 5 } });
    await erasures.keep(done);
    expect(await erasures.receipts('demo', 'hash 1')).toEqual([done]);
    expect((await erasures.receipts('demo', 'hash 2')).map(({ id }) => id).sort()).toEqual(['one', 'two']);
    expect(await erasures.receipts('demo', 'hash 5')).toEqual([]);
  });
}

describe('the erasure store in memory', () => {
  cases(async () => {
    const store = createMemoryStore();
    return { store, erasures: createMemoryErasures(store), [Symbol.asyncDispose]: () => store.close() };
  });
});

describeWithServices('the erasure store in MongoDB', () => {
  cases(async () => {
    const place = sandbox('erasures');
    const config = { uri: place.mongodbUri, database: place.database, processors: [PROCESSOR] };
    const store = await openMongoStore(config, logInto([]), silentMeter());
    const erasures = await openErasureStore(config, new OutcomeMeter());
    return {
      ...{ store, erasures },
      async [Symbol.asyncDispose]() {
        await Promise.all([store.close(), erasures.close()]);
        await place.cleanup();
      },
    };
  });
});
