import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  activateGeneration,
  ActiveDefinitions,
  claimGeneration,
  type Generations,
} from '../../processors/runtime/definition-generations.ts';
import { GENERATIONS_COLLECTION } from '../../processors/runtime/mongo/definition-generations.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { openMongodb, STORE_ADAPTERS, type OpenedMongodb, type OpenedStores } from './stores.ts';

const NOW = Date.UTC(2026, 4, 1);

STORE_ADAPTERS.forEach(({ name, suite, open }) => {
  suite(`the generations of ${name}`, () => {
    let stores: OpenedStores;
    let mine: Generations;
    let rival: Generations;
    beforeEach(async () => {
      stores = await open();
      mine = stores.mine.generations;
      rival = stores.rival.generations;
    });
    afterEach(() => stores[Symbol.asyncDispose]());

    test('are numbered without gaps, each taken once, and seen by every process', async () => {
      expect([await mine.newest(), await mine.list()]).toEqual([null, []]);
      const first = { number: 1, hash: 'one', since: NOW };
      expect(await mine.add(first)).toBe(true);
      expect(await rival.add({ ...first, hash: 'other' })).toBe(false);
      const second = { number: 2, hash: 'two', since: NOW + 1 };
      expect(await rival.add(second)).toBe(true);
      expect(await mine.newest()).toEqual(second);
      expect(await mine.list()).toEqual([first, second]);
    });

    test('are claimed by a set that was never in use, and by no other', async () => {
      expect(await claimGeneration(mine, 'one', NOW)).toMatchObject({ number: 1, hash: 'one' });
      expect(await claimGeneration(rival, 'two', NOW)).toMatchObject({ number: 2, hash: 'two' });
      expect(await claimGeneration(mine, 'one', NOW)).toMatchObject({ number: 2, hash: 'two' });
      expect(await claimGeneration(mine, 'two', NOW)).toMatchObject({ number: 2, hash: 'two' });
      expect(await mine.list()).toHaveLength(2);
    });

    test('that many claim at once are all given, one after the other', async () => {
      const sets = Array.from({ length: 12 }, (_each, index) => `set-${index % 6}`);
      await Promise.all(sets.map((hash, index) => claimGeneration(index % 2 === 0 ? mine : rival, hash, NOW)));
      const all = await mine.list();
      expect(all.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(new Set(all.map(({ hash }) => hash)).size).toBe(6);
    });

    test('are gone back to by a new one of the same set', async () => {
      await claimGeneration(mine, 'one', NOW);
      await claimGeneration(mine, 'two', NOW);
      expect(await activateGeneration(rival, 1, NOW + 5)).toEqual({ number: 3, hash: 'one', since: NOW + 5 });
      expect(await activateGeneration(rival, 1, NOW + 6)).toMatchObject({ number: 3 });
      expect(await activateGeneration(rival, 4, NOW + 6)).toBeNull();
      expect(await activateGeneration(rival, 2, NOW + 7)).toMatchObject({ number: 4, hash: 'two' });
    });

    test('let a process own only while its set is the active one', async () => {
      const [old, next] = [new ActiveDefinitions(mine, 'one'), new ActiveDefinitions(rival, 'two')];
      expect([old.isOurs, await old.claim(NOW)]).toEqual([false, true]);
      await old.refuseOthers();
      await next.claim(NOW);
      // What is remembered is not what is asked.
      expect(old.isOurs).toBe(true);
      await expect(old.refuseOthers()).rejects.toMatchObject({ code: 'ownership_lost', retriable: true });
      expect(old.isOurs).toBe(false);
      await next.refuseOthers();
      await activateGeneration(mine, 1, NOW);
      await old.refuseOthers();
      expect(await next.look()).toBe(false);
    });
  });
});

describeWithServices('a generation that somebody else wrote', () => {
  let stores: OpenedMongodb;
  beforeEach(async () => {
    stores = await openMongodb();
  });
  afterEach(() => stores[Symbol.asyncDispose]());

  test.each([{ hash: 7, since: new Date() }, { hash: 'one' }])('is no generation: %o', async (fields) => {
    const collection = stores.database.collection<{ _id: number }>(GENERATIONS_COLLECTION);
    await collection.insertOne({ _id: 1, ...fields });
    await expect(stores.mine.generations.newest()).rejects.toMatchObject({ code: 'store_unreadable' });
  });
});
