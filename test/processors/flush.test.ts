import { describe, expect, test } from 'vitest';
import { flushOnce } from '../../processors/runtime/flush.ts';
import { RING_SLOTS } from '../../processors/runtime/ports.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import { fold, logOf, process } from '../harness/counting-partition.ts';
import { LIMITS, memoryPorts, numberRecord } from '../harness/runtime-fixture.ts';

// Twelve blocks of one key each: the keys of the last two are busy.
const BLOCKS = 12;
const IDLE = BLOCKS - 2;

async function folded(waiting: number, limits: Partial<typeof LIMITS> = {}, blocks = BLOCKS) {
  const records = Array.from({ length: blocks }, (_, offset) => numberRecord(offset, `b|u:${offset}`, 1, 100));
  const ports = memoryPorts({ log: logOf(records), limits: { ...LIMITS, ...limits } });
  const partition = process(ports);
  await takeOver(partition, ports);
  for (const record of records) await fold(partition, ports, [record], waiting);
  return { partition, ports };
}

describe('documents', () => {
  test('that rest are stored at once when no record waits', async () => {
    const { partition, ports } = await folded(0);
    expect(await flushOnce(partition, ports, 'idle')).toBe(IDLE);
  });

  test('are held back while records wait, so that several changes become one write', async () => {
    const { partition, ports } = await folded(1);
    expect(await flushOnce(partition, ports, 'idle')).toBe(0);
    // The last batch of the backlog.
    await fold(partition, ports, [numberRecord(BLOCKS, 'b|u:0', 1, 100)], 0);
    expect(await flushOnce(partition, ports, 'idle')).toBe(IDLE);
  });

  test('are stored behind a backlog, too, once half of a bound is used', async () => {
    const free = await folded(1);
    const bytes = [...free.partition.unflushedBytes.values()].reduce((sum, each) => sum + each, 0);
    const used: Partial<typeof LIMITS>[] = [
      { dirtyDocumentsMax: 2 * BLOCKS },
      { dirtyBytesMax: 2 * bytes },
      { ringBytesMax: 2 * bytes },
    ];
    for (const limits of used) {
      const just = await folded(1, limits);
      expect(await flushOnce(just.partition, just.ports, 'idle')).toBe(0);
      const less = Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, value - 1]));
      const { partition, ports } = await folded(1, less);
      expect(await flushOnce(partition, ports, 'idle')).toBe(IDLE);
    }
    const ring = await folded(1, {}, RING_SLOTS / 2 + 1);
    expect(await flushOnce(ring.partition, ring.ports, 'idle')).toBe(RING_SLOTS / 2 - 1);
    for (const key of free.partition.dirty.values()) key.dirtySince -= LIMITS.dirtyMsMax / 2;
    expect(await flushOnce(free.partition, free.ports, 'idle')).toBe(BLOCKS);
  });

  test('are all stored when somebody must wait for them', async () => {
    const { partition, ports } = await folded(1);
    expect(await flushOnce(partition, ports, 'all')).toBe(BLOCKS);
  });
});
