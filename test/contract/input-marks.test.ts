import { afterAll, beforeAll, expect, test } from 'vitest';
import type { InputMarks, StoredMark } from '../../processors/runtime/input-marks.ts';
import type { TopicPartition } from '../../processors/runtime/ports.ts';
import { PROCESSOR, STORE_ADAPTERS, type OpenedStores } from './stores.ts';

const RIVALS = 20;

const mark = (epoch: number, next: number): StoredMark => {
  return { epoch, next, last: { offset: next - 1, timestamp: 2 ** 41, crc: 2 ** 32 - 1 } };
};

STORE_ADAPTERS.forEach(({ name, suite, open }) => {
  suite(`the input marks of ${name}`, () => {
    let stores: OpenedStores;
    let mine: InputMarks;
    let rival: InputMarks;
    let partitions = 0;
    const freshPartition = (): TopicPartition => ({ topic: 'probe-inputs.v1', partition: partitions++ });

    beforeAll(async () => {
      stores = await open();
      mine = stores.mine.inputMarks(PROCESSOR);
      rival = stores.rival.inputMarks(PROCESSOR);
    });
    afterAll(() => stores[Symbol.asyncDispose]());

    test('start empty, and come back as they were written', async () => {
      const [at, other] = [freshPartition(), freshPartition()];
      expect(await mine.read(at)).toBeNull();
      await mine.raise([
        { ...at, ...mark(1, 2 ** 40) },
        { ...other, epoch: 3, next: 0, last: null },
      ]);
      expect(await rival.read(at)).toEqual(mark(1, 2 ** 40));
      expect(await rival.read(other)).toEqual({ epoch: 3, next: 0, last: null });
      await mine.raise([]);
    });

    test('are kept apart by topic, partition and processor', async () => {
      const [one, ten] = [
        { topic: 'apart.v1', partition: 1 },
        { topic: 'apart.v1', partition: 10 },
      ];
      await mine.raise([{ ...one, ...mark(1, 5) }]);
      expect(await mine.read(ten)).toBeNull();
      expect(await mine.read({ topic: 'apart.v10', partition: 1 })).toBeNull();
      expect(await stores.mine.inputMarks('other.v1').read(one)).toBeNull();
    });

    test('never go back within an epoch, and an owner of an older epoch changes nothing', async () => {
      const at = freshPartition();
      await mine.raise([{ ...at, ...mark(1, 10) }]);
      await rival.raise([{ ...at, ...mark(1, 9) }]);
      expect(await mine.read(at)).toEqual(mark(1, 10));
      await rival.raise([{ ...at, ...mark(1, 12) }]);
      expect(await mine.read(at)).toEqual(mark(1, 12));
      await mine.raise([{ ...at, epoch: 2, next: 0, last: null }]);
      await rival.raise([{ ...at, ...mark(1, 99) }]);
      expect(await rival.read(at)).toEqual({ epoch: 2, next: 0, last: null });
    });

    test('of many writers at once end with the farthest', async () => {
      const all = [freshPartition(), freshPartition()];
      await Promise.all(
        Array.from({ length: RIVALS }, (_each, index) =>
          (index % 2 === 0 ? mine : rival).raise(all.map((at) => ({ ...at, ...mark(1, index + 1) }))),
        ),
      );
      for (const at of all) {
        // Whoever lost the race to insert twice writes again a second later, as every owner does.
        await mine.raise([{ ...at, ...mark(1, RIVALS) }]);
        expect(await rival.read(at)).toEqual(mark(1, RIVALS));
      }
    });
  });
});
