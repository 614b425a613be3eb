import { afterAll, beforeAll, expect, test } from 'vitest';
import { MARKS_COLLECTION } from '../../processors/runtime/mongo/fold-marks.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { openMongodb, STORE_ADAPTERS, type OpenedMongodb, type OpenedStores } from './stores.ts';

const GROUP = 'kizuna.probe.v1';
const AT = { topic: 'probe-events.v1', partition: 3 };
const MARKED = {
  source: 'kizuna.probe.v1@1/probe-events.v1/3',
  marks: [
    { at: Date.UTC(2026, 0, 1), next: 17 },
    { at: Date.UTC(2026, 0, 2), next: 9_007_199_254_740_991 },
  ],
};

STORE_ADAPTERS.forEach(({ name, suite, open }) => {
  suite(`the marks of ${name}`, () => {
    let stores: OpenedStores;
    beforeAll(async () => {
      stores = await open();
    });
    afterAll(() => stores[Symbol.asyncDispose]());

    test('are seen by every process, those written last, by group and partition', async () => {
      expect(await stores.mine.marks.load(GROUP, AT)).toBeNull();
      await stores.mine.marks.store(GROUP, AT, { ...MARKED, marks: [] });
      await stores.rival.marks.store(GROUP, AT, MARKED);
      expect(await stores.mine.marks.load(GROUP, AT)).toEqual(MARKED);
      expect(await stores.mine.marks.load('kizuna.other.v1', AT)).toBeNull();
      expect(await stores.mine.marks.load(GROUP, { ...AT, partition: 4 })).toBeNull();
    });
  });
});

describeWithServices('marks that something else wrote', () => {
  let stores: OpenedMongodb;
  beforeAll(async () => {
    stores = await openMongodb();
  });
  afterAll(() => stores[Symbol.asyncDispose]());

  test('are refused, not guessed', async () => {
    const _id = `${GROUP}/${AT.topic}/${AT.partition}` as never;
    const unreadable = { code: 'store_unreadable', retriable: false };
    for (const marks of [null, [{ at: 'yesterday', next: 1 }], [{ at: new Date(), next: '1' }]]) {
      await stores.database.collection(MARKS_COLLECTION).replaceOne({ _id }, { source: 's', marks }, { upsert: true });
      await expect(stores.mine.marks.load(GROUP, AT)).rejects.toMatchObject(unreadable);
    }
  });
});
