import { afterAll, beforeAll, expect, test } from 'vitest';
import { NEVER } from '../../processors/core/processor.ts';
import type {
  DocumentWrite,
  Documents,
  DueCursor,
  RevisedState,
  RevisionCursor,
} from '../../processors/runtime/ports.ts';
import { PROCESSOR, STORE_ADAPTERS } from './stores.ts';
import type { OpenedStores } from './stores.ts';

const MIDNIGHT = Date.UTC(2026, 0, 1);

function stored(write: DocumentWrite | undefined) {
  if (write === undefined) throw new Error('no such write');
  const { key, seq, state, due } = write;
  return { key, seq, state, due };
}

STORE_ADAPTERS.forEach(({ name, suite, open }) => {
  suite(`the documents of ${name}`, () => {
    let stores: OpenedStores;
    let documents: Documents;
    let rival: Documents;
    let used = 0;

    beforeAll(async () => {
      stores = await open();
      documents = stores.mine.documents(PROCESSOR);
      rival = stores.rival.documents(PROCESSOR);
    });
    afterAll(() => stores[Symbol.asyncDispose]());

    /** A key that no other test uses. */
    const freshKey = (): string => `demo|u:${String(used++).padStart(6, '0')}`;
    /** A partition that no other test uses. */
    const freshPartition = (): number => 1000 + used++;
    const write = (key: string, seq: number, more: Partial<DocumentWrite> = {}): DocumentWrite => {
      return { key, seq, partition: 0, state: Buffer.from(`${key}#${seq}`), due: NEVER, summary: {}, ...more };
    };
    const stateOf = async (key: string): Promise<string | undefined> => {
      const [found] = await documents.load([key]);
      return found?.state.toString();
    };

    test('loads what was stored and leaves out what was not', async () => {
      const [one, two, three] = [freshKey(), freshKey(), freshKey()];
      const scratch = Buffer.from('..state..');
      expect(
        await documents.store([write(one, 3, { due: MIDNIGHT, state: scratch.subarray(2, 7) }), write(two, 4)]),
      ).toEqual([true, true]);
      scratch.fill('x');
      const found = await rival.load([two, three, one]);
      expect(found).toHaveLength(2);
      expect(found).toContainEqual({ key: one, seq: 3, due: MIDNIGHT, state: Buffer.from('state') });
      expect(found).toContainEqual({ key: two, seq: 4, due: NEVER, state: Buffer.from(`${two}#4`) });
      expect(await documents.load([])).toEqual([]);
      expect(await documents.store([])).toEqual([]);
    });

    test('never lets a caller change what is stored', async () => {
      const key = freshKey();
      await documents.store([write(key, 1)]);
      const [read] = await documents.load([key]);
      read?.state.fill('x');
      expect(await stateOf(key)).toBe(`${key}#1`);
    });

    test('replaces an older state, and answers for an older write that a newer one is stored', async () => {
      const key = freshKey();
      expect(await documents.store([write(key, 5)])).toEqual([true]);
      expect(await documents.store([write(key, 4)])).toEqual([true]);
      expect(await stateOf(key)).toBe(`${key}#5`);
      expect(await documents.store([write(key, 6)])).toEqual([true]);
      expect(await stateOf(key)).toBe(`${key}#6`);
    });

    test('takes an equal seq as stored', async () => {
      const key = freshKey();
      await documents.store([write(key, 5)]);
      expect(await documents.store([write(key, 5, { state: Buffer.from('other') })])).toEqual([true]);
      expect(await stateOf(key)).toBe(`${key}#5`);
    });

    test('judges each write of a batch by itself', async () => {
      const [kept, replaced, inserted] = [freshKey(), freshKey(), freshKey()];
      await documents.store([write(kept, 9), write(replaced, 1)]);
      expect(await documents.store([write(kept, 2), write(replaced, 2), write(inserted, 2)])).toEqual([
        true,
        true,
        true,
      ]);
      const stored = new Map(
        (await documents.load([kept, replaced, inserted])).map(({ key, seq }) => [key, seq] as const),
      );
      expect(stored).toEqual(new Map([[kept, 9] as const, [replaced, 2] as const, [inserted, 2] as const]));
    });

    test('takes a key for new as a hint only', async () => {
      const [absent, older, newer] = [freshKey(), freshKey(), freshKey()];
      await documents.store([write(older, 1), write(newer, 9)]);
      const told = [absent, older, newer].map((key) => write(key, 2, { isNew: true }));
      expect(await documents.store(told)).toEqual([true, true, true]);
      const stored = new Map((await documents.load([absent, older, newer])).map(({ key, seq }) => [key, seq]));
      expect(stored).toEqual(new Map([[absent, 2] as const, [older, 2] as const, [newer, 9] as const]));
    });

    test('refuses a state larger than a document may be without failing the others', async () => {
      const [large, small] = [freshKey(), freshKey()];
      const state = Buffer.alloc(16 * 1024 * 1024);
      expect(await documents.store([write(large, 1, { state }), write(small, 1)])).toEqual([false, true]);
      expect(await documents.load([large, small])).toHaveLength(1);
    });

    test('finds those of another revision page by page, those of none first, and none that nothing ever evaluated', async () => {
      const partition = freshPartition();
      const revised = (seq: number, revision?: number, more: Partial<DocumentWrite> = {}): DocumentWrite =>
        write(freshKey(), seq, { partition, summary: revision === undefined ? {} : { revision }, ...more });
      const writes = [
        ...[revised(1, 7), revised(2, 3), revised(3, 3), revised(4), revised(5), revised(6, 5), revised(7, 0)],
        ...[revised(8, 4_000_000_000), revised(9, 7), revised(10, 9, { partition: partition + 1 })],
      ];
      await documents.store(writes);
      const expected = [4, 5, 2, 3, 6, 8];
      for (const limit of [1, 2, 4, 100]) {
        const found: RevisedState[] = [];
        for (let after: RevisionCursor | null = null; ;) {
          const page: RevisedState[] = await rival.outdated(partition, 7, after, limit);
          found.push(...page);
          const last = page.at(-1);
          if (last === undefined || page.length < limit) break;
          after = { revision: last.revision, key: last.key };
        }
        expect(found.map(({ seq }) => seq)).toEqual(expected);
        expect(found[0]).toEqual({ ...stored(writes[3]), revision: null });
        expect(found.at(-1)).toEqual({ ...stored(writes[7]), revision: 4_000_000_000 });
      }
      expect(await rival.countOutdated(partition, 7)).toBe(expected.length);
      expect(await rival.countOutdated(partition, 3)).toBe(6);

      // A newer state is found by its own revision alone.
      const [, second] = writes;
      if (second !== undefined) await documents.store([{ ...second, seq: 20, summary: { revision: 7 } }]);
      expect((await documents.outdated(partition, 7, null, 100)).map(({ seq }) => seq)).toEqual([4, 5, 3, 6, 8]);
      expect(await documents.countOutdated(partition, 7)).toBe(5);
    });

    test('ends with the newest of two rival inserts, in either order', async () => {
      for (let round = 0; round < 40; round++) {
        const keys = Array.from({ length: 25 }, freshKey);
        const older = keys.map((key) => write(key, 1, { isNew: round % 3 === 0 }));
        const newer = keys.map((key) => write(key, 2, { isNew: round % 5 === 0 }));
        const [first, second] = round % 2 === 0 ? [older, newer] : [newer, older];
        const answers = await Promise.all([documents.store(first), rival.store(second)]);
        // A `false` would be tried again; none is expected where nothing is broken.
        expect(answers.flat()).not.toContain(false);
        for (const { key, seq } of await documents.load(keys)) expect(`${key}#${seq}`).toBe(`${key}#2`);
      }
    });

    test('stores and loads five thousand at once', async () => {
      const keys = Array.from({ length: 5_000 }, freshKey);
      const answers = await documents.store(keys.map((key) => write(key, 1, { state: Buffer.alloc(300, key) })));
      expect(answers).toEqual(keys.map(() => true));
      const found = await rival.load(keys);
      expect(new Set(found.map(({ key }) => key))).toEqual(new Set(keys));
      expect(found.every(({ key, state }) => state.equals(Buffer.alloc(300, key)))).toBe(true);
    });

    /** The keys of every page, page by page. */
    const pages = async (partition: number, until: number, limit: number): Promise<string[][]> => {
      const all: string[][] = [];
      let after: DueCursor | null = null;
      for (;;) {
        const page = await documents.due(partition, until, after, limit);
        const last = page.at(-1);
        if (last === undefined) return all;
        all.push(page.map(({ key }) => key));
        after = { due: last.due, key: last.key };
      }
    };

    test('pages what is due in order of time and key, each once, equal times too', async () => {
      const partition = freshPartition();
      const key = (index: number): string => `demo|u:p${partition}-${String(index).padStart(4, '0')}`;
      const due = [0, 0, 0, 0, 0, 5, 5, -7, 1000, NEVER];
      const writes = due.map((shift, index) => write(key(index), 1, { partition, due: MIDNIGHT + shift }));
      await documents.store(writes.toReversed());
      await documents.store([write(freshKey(), 1, { partition: partition + 1, due: MIDNIGHT })]);
      const order = [7, 0, 1, 2, 3, 4, 5, 6].map(key);
      expect((await pages(partition, MIDNIGHT + 5, 100)).flat()).toEqual(order);
      expect(await pages(partition, MIDNIGHT + 5, 3)).toEqual([order.slice(0, 3), order.slice(3, 6), order.slice(6)]);
      expect((await pages(partition, MIDNIGHT + 5, 1)).flat()).toEqual(order);
      expect((await pages(partition, MIDNIGHT - 7, 3)).flat()).toEqual([key(7)]);
      expect(await pages(partition, MIDNIGHT - 8, 3)).toEqual([]);
      const [first] = await documents.due(partition, MIDNIGHT, null, 1);
      expect(first).toEqual({ key: key(7), seq: 1, due: MIDNIGHT - 7, state: Buffer.from(`${key(7)}#1`) });
    });

    test('forgets a deadline that moved or went', async () => {
      const partition = freshPartition();
      const [moves, goes, stays] = [freshKey(), freshKey(), freshKey()];
      await documents.store([moves, goes, stays].map((key) => write(key, 1, { partition, due: MIDNIGHT })));
      await documents.store([write(moves, 2, { partition, due: MIDNIGHT + 9 }), write(goes, 2, { partition })]);
      const found = await documents.due(partition, MIDNIGHT + 9, null, 10);
      expect(found.map(({ key, due }) => [key, due])).toEqual([
        [stays, MIDNIGHT],
        [moves, MIDNIGHT + 9],
      ]);
    });

    test('goes on where a page ended although what it held has moved away', async () => {
      const partition = freshPartition();
      const keys = Array.from({ length: 10 }, (_, index) => `demo|u:m${partition}-${index}`);
      await documents.store(keys.map((key) => write(key, 1, { partition, due: MIDNIGHT })));
      const first = await documents.due(partition, MIDNIGHT, null, 4);
      await documents.store(first.map(({ key }) => write(key, 2, { partition, due: MIDNIGHT + 1000 })));
      const after = { due: MIDNIGHT, key: first.at(-1)?.key ?? '' };
      const second = await documents.due(partition, MIDNIGHT, after, 100);
      expect(second.map(({ key }) => key)).toEqual(keys.slice(4));
    });
  });
});
