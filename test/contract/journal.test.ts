import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RING_SLOTS } from '../../processors/runtime/ports.ts';
import type { Block, Journal, TopicPartition } from '../../processors/runtime/ports.ts';
import { PROCESSOR, STORE_ADAPTERS } from './stores.ts';
import type { OpenedStores } from './stores.ts';

const RIVALS = 50;
const MEBIBYTE = 1024 * 1024;

function blockAt(seq: number, more: Partial<Block> = {}): Block {
  const nothing = Buffer.alloc(0);
  return {
    ...{
      seq,
      nonce: randomUUID(),
      epoch: 1,
      next: seq * 10,
      flushedTo: -1,
      emittedTo: -1,
      last: null,
      sources: new Map(),
    },
    ...{ totals: nothing, ledger: nothing, states: nothing, outputs: nothing, ...more },
  };
}

STORE_ADAPTERS.forEach(({ name, suite, open }) => {
  suite(`the journal of ${name}`, () => {
    let stores: OpenedStores;
    let journal: Journal;
    let rival: Journal;
    let partitions = 0;
    /** A partition that no other test uses. */
    const freshPartition = (): TopicPartition => ({ topic: 'probe-events.v1', partition: partitions++ });

    beforeAll(async () => {
      stores = await open();
      journal = stores.mine.journal(PROCESSOR);
      rival = stores.rival.journal(PROCESSOR);
    });
    afterAll(() => stores[Symbol.asyncDispose]());

    const write = async (at: TopicPartition, from: number, to: number): Promise<Block[]> => {
      const blocks: Block[] = [];
      for (let seq = from; seq <= to; seq++) {
        const block = blockAt(seq);
        await journal.write(at, block);
        blocks.push(block);
      }
      return blocks;
    };

    test('starts empty', async () => {
      const at = freshPartition();
      expect(await journal.headers(at)).toEqual([]);
      expect(await journal.blocks(at, 0, RING_SLOTS - 1)).toEqual([]);
    });

    test('gives a block back as it was written, whatever becomes of the buffers afterwards', async () => {
      const at = freshPartition();
      // Cut from the middle of a larger buffer, as pooled and reused ones are.
      const scratch = Buffer.from('..totals..states..outputs..');
      const block = blockAt(0, {
        ...{ epoch: 3, next: 2 ** 40, flushedTo: -1, emittedTo: 0 },
        last: { offset: 2 ** 40 - 1, timestamp: 2 ** 41, crc: 2 ** 32 - 1 },
        ...{ totals: scratch.subarray(2, 8), states: scratch.subarray(10, 16), outputs: scratch.subarray(18, 25) },
        sources: new Map([
          ['kizuna.intake.v1@1/interactions.v1/0', { n: 2 ** 40, index: 3 }],
          ['kizuna.intake.v1@1/interactions.v1/11', { n: 0, index: 0 }],
        ]),
      });
      await journal.write(at, block);
      scratch.fill('x');
      const [read] = await rival.blocks(at, 0, 0);
      expect(read?.totals.toString()).toBe('totals');
      expect(read?.states.toString()).toBe('states');
      expect(read?.outputs.toString()).toBe('outputs');
      expect(read?.sources).toEqual(block.sources);
      const { seq, nonce, epoch, next, flushedTo, emittedTo, last } = block;
      expect(read?.epoch).toBe(3);
      expect(await rival.headers(at)).toEqual([{ seq, nonce, epoch, next, flushedTo, emittedTo, last }]);
    });

    test('keeps partitions, topics and processors apart', async () => {
      const [one, ten] = [
        { topic: 'apart.v1', partition: 1 },
        { topic: 'apart.v1', partition: 10 },
      ];
      const other = { topic: 'apart.v10', partition: 1 };
      for (const at of [one, ten, other]) await journal.write(at, blockAt(0, { next: at.partition }));
      for (const at of [one, ten, other]) {
        expect(await journal.headers(at)).toEqual([expect.objectContaining({ next: at.partition })]);
      }
    });

    test('overwrites exactly the block one ring before', async () => {
      const at = freshPartition();
      const blocks = await write(at, 0, RING_SLOTS + 1);
      const seqs = (await journal.headers(at)).map((header) => header.seq).sort((a, b) => a - b);
      expect(seqs).toEqual(blocks.slice(2).map((block) => block.seq));
    });

    test('refuses a block whose slot does not hold its predecessor', async () => {
      const at = freshPartition();
      const lost = { code: 'ownership_lost' };
      await expect(journal.write(at, blockAt(RING_SLOTS + 3))).rejects.toMatchObject(lost);
      const [first] = await write(at, 0, 0);
      await expect(journal.write(at, blockAt(0))).rejects.toMatchObject(lost);
      await expect(journal.write(at, blockAt(2 * RING_SLOTS))).rejects.toMatchObject(lost);
      expect(await journal.headers(at)).toEqual([expect.objectContaining({ seq: 0, nonce: first?.nonce })]);
      await journal.write(at, blockAt(RING_SLOTS));
      await expect(journal.write(at, blockAt(0))).rejects.toMatchObject(lost);
    });

    test('takes the same write again as done', async () => {
      const at = freshPartition();
      const inserted = blockAt(0);
      const overwriting = blockAt(RING_SLOTS, { next: 7 });
      for (const block of [inserted, inserted, overwriting, overwriting]) await journal.write(at, block);
      expect(await journal.headers(at)).toEqual([expect.objectContaining({ nonce: overwriting.nonce, next: 7 })]);
      await expect(journal.write(at, inserted)).rejects.toMatchObject({ code: 'ownership_lost' });
    });

    test.each([
      ['insert', 0],
      ['overwrite', RING_SLOTS],
    ])(`lets exactly one of ${RIVALS} rival writers %s`, async (_kind, firstSeq) => {
      const at = freshPartition();
      if (firstSeq > 0) await write(at, 0, firstSeq - 1);
      for (let seq = firstSeq; seq < firstSeq + 10; seq++) {
        const rivals = Array.from({ length: RIVALS }, () => blockAt(seq));
        const results = await Promise.allSettled(
          rivals.map((block, index) => (index % 2 === 0 ? journal : rival).write(at, block)),
        );
        const winners = rivals.filter((_, index) => results[index]?.status === 'fulfilled');
        expect(winners).toHaveLength(1);
        for (const result of results) {
          if (result.status === 'fulfilled') continue;
          expect(result.reason).toMatchObject({ code: 'ownership_lost' });
        }
        expect(await journal.blocks(at, seq, seq)).toEqual([expect.objectContaining({ nonce: winners[0]?.nonce })]);
      }
    });

    test('reads blocks in order of seq and leaves out those that are not there', async () => {
      const at = freshPartition();
      await write(at, 0, 12);
      for (const seq of [RING_SLOTS + 2, RING_SLOTS + 3]) await journal.write(at, blockAt(seq));
      const seqs = async (from: number, to: number) => (await journal.blocks(at, from, to)).map((block) => block.seq);
      expect(await seqs(0, 4)).toEqual([0, 1, 4]);
      expect(await seqs(9, 40)).toEqual([9, 10, 11, 12]);
      expect(await seqs(11, RING_SLOTS + 3)).toEqual([11, 12, RING_SLOTS + 2, RING_SLOTS + 3]);
      expect(await seqs(0, 10 * RING_SLOTS)).toHaveLength(13);
      expect(await seqs(5, 4)).toEqual([]);
    });

    test('holds a block of eight mebibytes and refuses one larger than a document may be', async () => {
      const at = freshPartition();
      await journal.write(at, blockAt(0, { states: Buffer.alloc(8 * MEBIBYTE, 7) }));
      const [read] = await journal.blocks(at, 0, 0);
      expect(read?.states.equals(Buffer.alloc(8 * MEBIBYTE, 7))).toBe(true);
      const tooLarge = blockAt(1, { states: Buffer.alloc(8 * MEBIBYTE), outputs: Buffer.alloc(8 * MEBIBYTE) });
      await expect(journal.write(at, tooLarge)).rejects.toMatchObject({ code: 'invariant_broken', retriable: false });
      expect(await journal.headers(at)).toHaveLength(1);
    });
  });
});
