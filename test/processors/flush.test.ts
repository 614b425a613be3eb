import { describe, expect, test } from 'vitest';
import { flushOnce } from '../../processors/runtime/flush.ts';
import { RING_SLOTS } from '../../processors/runtime/ports.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import { fold, logOf, process } from '../harness/counting-partition.ts';
import { LIMITS, memoryPorts, numberRecord } from '../harness/runtime-fixture.ts';

// Twelve blocks of one key each: the keys of the last two are busy.
const BLOCKS = 12;
const IDLE = BLOCKS - 2;
/** Of a bound, from which on documents no longer wait. */
const SHARE = 0.8;

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

  test('are stored behind a backlog, too, once four fifths of a bound are used', async () => {
    const free = await folded(1);
    const bytes = [...free.partition.unflushedBytes.values()].reduce((sum, each) => sum + each, 0);
    const used: Partial<typeof LIMITS>[] = [
      { dirtyDocumentsMax: Math.ceil(BLOCKS / SHARE) },
      { dirtyBytesMax: Math.ceil(bytes / SHARE) },
      { ringBytesMax: Math.ceil(bytes / SHARE) },
    ];
    for (const limits of used) {
      const just = await folded(1, limits);
      expect(await flushOnce(just.partition, just.ports, 'idle')).toBe(0);
      const less = Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, value - 2]));
      const { partition, ports } = await folded(1, less);
      expect(await flushOnce(partition, ports, 'idle')).toBe(IDLE);
    }
    const slots = Math.ceil(RING_SLOTS * SHARE);
    const ring = await folded(1, {}, slots);
    expect(await flushOnce(ring.partition, ring.ports, 'idle')).toBe(slots - 2);
    for (const key of free.partition.dirty.values()) key.dirtySince -= LIMITS.dirtyMsMax * SHARE;
    expect(await flushOnce(free.partition, free.ports, 'idle')).toBe(BLOCKS);
  });

  test('are all stored when somebody must wait for them', async () => {
    const { partition, ports } = await folded(1);
    expect(await flushOnce(partition, ports, 'all')).toBe(BLOCKS);
  });
});
