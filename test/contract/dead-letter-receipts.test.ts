import { describe, expect, test } from 'vitest';
import { OutcomeMeter } from '../../processors/cli/outcome-meter.ts';
import { CLAIM_MS, type DeadLetterReceipts } from '../../processors/runtime/dead-letter-receipts.ts';
import { openDeadLetterReceipts } from '../../processors/runtime/mongo/dead-letter-receipts.ts';
import { MemoryReceipts } from '../harness/memory-receipts.ts';
import { describeWithServices, sandbox } from '../harness/sandbox.ts';

const AT = Date.UTC(2026, 5, 1);
const stamp = (run: string, at = AT) => ({ at, by: 'somebody', run, note: '' });
const letters = (...ids: string[]) => ids.map((id) => ({ id, facts: { reason: 'undecodable' } }));

type Open = () => Promise<{ readonly receipts: DeadLetterReceipts } & AsyncDisposable>;

function cases(open: Open): void {
  test('of many runs that claim the same letters at once, each letter is one run’s', async () => {
    await using place = await open();
    const ids = Array.from({ length: 20 }, (_, index) => `letter ${index}`);
    const runs = Array.from({ length: 8 }, (_, index) => `run ${index}`);
    const won = await Promise.all(
      runs.map((run) => place.receipts.claim(letters(...ids), 'redriving', stamp(run), false)),
    );
    expect(won.flatMap((each) => [...each]).sort()).toEqual(ids.toSorted());
    const kept = await place.receipts.find(ids);
    for (const [index, run] of runs.entries()) {
      for (const id of won[index] ?? []) expect(kept.get(id)).toMatchObject({ run, status: 'redriving' });
    }
  });

  test('a claim ends in a receipt that keeps its history; nobody else settles it', async () => {
    await using place = await open();
    const { receipts } = place;
    await receipts.claim(letters('a'), 'redriving', stamp('one'), false);
    await receipts.settle(['a'], stamp('two', AT + 1));
    expect((await receipts.find(['a'])).get('a')?.status).toBe('redriving');
    await receipts.settle(['a', 'unknown'], stamp('one', AT + 2));
    await receipts.settle(['a'], stamp('one', AT + 3));
    expect(await receipts.find(['a', 'unknown'])).toEqual(
      new Map([
        [
          'a',
          {
            ...{ status: 'redriven', at: AT + 2, by: 'somebody', run: 'one', note: '' },
            history: [
              { status: 'redriving', at: AT, by: 'somebody', run: 'one', note: '' },
              { status: 'redriven', at: AT + 2, by: 'somebody', run: 'one', note: '' },
            ],
          },
        ],
      ]),
    );
  });

  test('a claim that was broken off is anybody’s after a while, one that is done with only when asked for again', async () => {
    await using place = await open();
    const { receipts } = place;
    const claim = async (run: string, at: number, again = false) => [
      ...(await receipts.claim(letters('a', 'b'), 'redriving', stamp(run, at), again)),
    ];
    expect(await claim('one', AT)).toEqual(['a', 'b']);
    expect(await claim('two', AT + CLAIM_MS - 1, true)).toEqual([]);
    expect(await claim('three', AT + CLAIM_MS)).toEqual(['a', 'b']);
    await receipts.settle(['a'], stamp('three', AT + CLAIM_MS));
    expect(await claim('four', AT + 2 * CLAIM_MS)).toEqual(['b']);
    await receipts.settle(['b'], stamp('four', AT + 2 * CLAIM_MS));
    const later = stamp('five', AT + 3 * CLAIM_MS);
    expect([...(await receipts.claim(letters('a'), 'discarded', later, false))]).toEqual([]);
    expect([...(await receipts.claim(letters('c'), 'discarded', later, false))]).toEqual(['c']);
    expect(await claim('six', AT + 3 * CLAIM_MS, true)).toEqual(['a', 'b']);
  });

  test('nothing asked for is nothing done', async () => {
    await using place = await open();
    expect(await place.receipts.find([])).toEqual(new Map());
    expect(await place.receipts.claim([], 'discarded', stamp('one'), false)).toEqual(new Set());
  });
}

describe('receipts in memory', () => {
  cases(() => Promise.resolve({ receipts: new MemoryReceipts(), [Symbol.asyncDispose]: () => Promise.resolve() }));
});

describeWithServices('receipts in MongoDB', () => {
  cases(async () => {
    const place = sandbox('receipts');
    const receipts = await openDeadLetterReceipts(
      { uri: place.mongodbUri, database: place.database },
      new OutcomeMeter(),
    );
    return {
      receipts,
      async [Symbol.asyncDispose]() {
        await receipts.close();
        await place.cleanup();
      },
    };
  });
});
