import { describe, expect, test } from 'vitest';
import { blankBlock } from '../../processors/runtime/blank-block.ts';
import { unpackOutputs, unpackStates } from '../../processors/runtime/block.ts';
import { flushAll } from '../../processors/runtime/flush.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import type { Block, Store } from '../../processors/runtime/ports.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import { AT, countOf, fold, logOf, process, SOURCE } from '../harness/counting-partition.ts';
import { CollectingEmitter, memoryPorts, numberRecord } from '../harness/runtime-fixture.ts';

const KEYS = 5;
const GONE = 'b|u:2';
const records = Array.from({ length: 60 }, (_each, offset) => numberRecord(offset, `b|u:${offset % KEYS}`, 1, offset));

/** A store whose journal is as it is after `seq`, the block of a key's newest state, made older ones of it needless. */
function blanked(store: Store, seq: number, found: Block[] = []): Store {
  return {
    ...store,
    journal: (name) => {
      const journal = store.journal(name);
      const without = (block: Block): Block => {
        found.push(block);
        const isOurs = (key: string): boolean => key === GONE && block.seq < seq;
        return {
          ...block,
          ...blankBlock(block, isOurs, ({ key }) => isOurs(key?.toString() ?? '')),
        };
      };
      return {
        headers: (at) => journal.headers(at),
        blocks: async (at, from, to) => (await journal.blocks(at, from, to)).map(without),
        ledgers: (at, from, to) => journal.ledgers(at, from, to),
        write: (at, block) => journal.write(at, block),
      };
    },
  };
}

describe('a block without what is needless', () => {
  test('has all the others in their places', async () => {
    const store = createMemoryStore();
    const ports = memoryPorts({ log: logOf(records), store });
    const partition = process(ports);
    await takeOver(partition, ports);
    await fold(partition, ports, records.slice(0, 20));
    const [block] = await store.journal('counting.v1').blocks(AT, partition.head, partition.head);
    if (block === undefined) throw new Error('no block');
    const ours = ({ key }: { key: Buffer | null }): boolean => key?.toString() === GONE;
    const without = blankBlock(block, (key) => key === GONE, ours);
    const before = { states: [...unpackStates(block.states)], outputs: unpackOutputs(block.outputs) };
    expect([...unpackStates(without?.states ?? block.states)]).toEqual(before.states.filter(({ key }) => key !== GONE));
    expect(unpackOutputs(without?.outputs ?? block.outputs)).toEqual(
      before.outputs.map((output) => (output !== null && ours(output) ? null : output)),
    );
    expect(without).toMatchObject({ statesGone: 1, outputsGone: 4 });
    expect(
      blankBlock(
        block,
        () => false,
        () => false,
      ),
    ).toBeNull();
  });
});

test('a take-over finds every document, flushed or not, and goes on, where older states and outputs of a key are gone', async () => {
  for (let crashAfter = 1; crashAfter < 12; crashAfter++) {
    const store = createMemoryStore();
    const log = logOf(records);
    const ports = memoryPorts({ log, store });
    const first = process(ports);
    await takeOver(first, ports);
    let newest = -1;
    for (let part = 0; part < crashAfter; part++) {
      await fold(first, ports, records.slice(part * KEYS, part * KEYS + KEYS), 1);
      newest = first.head;
    }
    const found: Block[] = [];
    const emitter = new CollectingEmitter();
    const after = memoryPorts({ log, store: blanked(store, newest, found), emitter });
    const second = process(after);
    await takeOver(second, after);
    // Nothing was committed: of what an older block said it is known all the same that it was acknowledged.
    const again = new Set(emitter.sent.map(({ headers }) => String(headers['position']).replace(/\.\d+$/, '')));
    expect([...again]).toEqual([`${SOURCE}:${newest}`]);
    await fold(second, after, records.slice(crashAfter * KEYS));
    await flushAll(second, after);
    expect(found.length).toBeGreaterThan(crashAfter - 1);
    for (let key = 0; key < KEYS; key++) expect(await countOf(after, `b|u:${key}`)).toBe(12);
  }
});
