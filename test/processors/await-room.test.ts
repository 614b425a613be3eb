import { describe, expect, test } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import type { OwnedPartition } from '../../processors/runtime/owned-partition.ts';
import type { Store } from '../../processors/runtime/ports.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import { awaitRoom } from '../../processors/runtime/write-block.ts';
import { fold, logOf, process } from '../harness/counting-partition.ts';
import { LIMITS, memoryPorts, numberRecord } from '../harness/runtime-fixture.ts';

const KEYS = 10;

describe('waiting for room before a block', () => {
  /** Ten dirty keys, of which none may be dirty and two cached, above a store that refuses everything at first. */
  async function crowded(refusals: number) {
    const records = Array.from({ length: KEYS }, (_each, offset) => numberRecord(offset, `b|u:${offset}`, 1, offset));
    const memory = createMemoryStore();
    let left = refusals;
    const store: Store = {
      ...memory,
      journal: (name) => memory.journal(name),
      inputMarks: (name) => memory.inputMarks(name),
      documents: (name) => {
        const documents = memory.documents(name);
        return {
          load: (keys) => documents.load(keys),
          due: (partition, until, after, limit) => documents.due(partition, until, after, limit),
          outdated: (...asked) => documents.outdated(...asked),
          countOutdated: (...asked) => documents.countOutdated(...asked),
          store: async (writes) => (left-- > 0 ? writes.map(() => false) : documents.store(writes)),
        };
      },
    };
    const ports = memoryPorts({ log: logOf(records), store });
    const partition = process(ports);
    await takeOver(partition, ports);
    await fold(partition, ports, records);
    return { partition, ports: { ...ports, limits: { ...LIMITS, dirtyDocumentsMax: 1, cachedKeysMax: 2 } } };
  }

  const sizes = ({ cache, dirty }: OwnedPartition) => ({ cached: cache.size, dirty: dirty.size });

  test('forgets keys only once it has waited', async () => {
    const { partition, ports } = await crowded(2);
    const seen: object[] = [];
    await awaitRoom(partition, ports, async () => void seen.push(sizes(partition)));
    expect(seen).toEqual([1, 2, 3].map(() => ({ cached: KEYS, dirty: KEYS })));
    expect(sizes(partition).cached).toBeLessThanOrEqual(2);
  });

  test('forgets nothing when it is given up while it waits', async () => {
    const { partition, ports } = await crowded(Infinity);
    let beats = 0;
    const giveUp = async (): Promise<void> => {
      if (++beats === 2) throw new PipelineError('rebalancing', 'the group is rebalancing', { retriable: true });
    };
    await expect(awaitRoom(partition, ports, giveUp)).rejects.toMatchObject({ code: 'rebalancing' });
    expect(sizes(partition)).toEqual({ cached: KEYS, dirty: KEYS });
  });
});
