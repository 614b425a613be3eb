import { expect, test } from 'vitest';
import { cacheNewKey, evict } from '../../processors/runtime/cached-keys.ts';
import { markDirty, markStored } from '../../processors/runtime/dirty-keys.ts';
import type { OwnedPartition } from '../../processors/runtime/owned-partition.ts';
import { process } from '../harness/counting-partition.ts';
import { memoryPorts } from '../harness/runtime-fixture.ts';

/** Keys that were changed by block 0 and stored. */
function partitionWith(names: readonly string[]): OwnedPartition {
  const partition = process(memoryPorts());
  for (const name of names) {
    const key = cacheNewKey(partition, name);
    markDirty(partition, key, 0, Buffer.alloc(1));
    markStored(partition, key, 0);
  }
  return partition;
}

function change(partition: OwnedPartition, name: string, seq: number): void {
  const key = partition.cache.get(name);
  if (key !== undefined) markDirty(partition, key, seq, Buffer.alloc(1));
}

const left = (partition: OwnedPartition): string[] => [...partition.cache.keys()].sort();

test('forgets just as many as are too many, each passed by once before it goes', () => {
  const partition = partitionWith(['a', 'b', 'c', 'd']);
  evict(partition, 3);
  expect(left(partition)).toEqual(['b', 'c', 'd']);
});

test('a key that was changed since stays when others were not', () => {
  const partition = partitionWith(['a', 'b', 'c', 'd']);
  evict(partition, 3);
  change(partition, 'b', 1);
  const changed = partition.cache.get('b');
  if (changed !== undefined) markStored(partition, changed, 1);
  evict(partition, 2);
  expect(left(partition)).toEqual(['b', 'd']);
});

test('a key whose change is not stored is never forgotten', () => {
  const partition = partitionWith(['a', 'b']);
  change(partition, 'a', 1);
  change(partition, 'b', 1);
  evict(partition, 0);
  evict(partition, 0);
  expect(left(partition)).toEqual(['a', 'b']);
});
