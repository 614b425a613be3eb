import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { murmur2, partitionOfKey } from '../../processors/runtime/partitioner.ts';
import { kafkajsPartitionOf } from '../harness/kafkajs-internals.ts';

describe('murmur2', () => {
  // Source: Apache Kafka, clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java, testMurmur2.
  it.each([
    ['21', -973_932_308],
    ['foobar', -790_332_482],
    ['a-little-bit-long-string', -985_981_536],
    ['a-little-bit-longer-string', -1_486_304_829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
    ['abc', 479_470_107],
  ])('hashes %j as the Java client does', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });

  it('chooses the partition that kafkajs chooses, for any bytes and any number of partitions', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.integer({ min: 1, max: 48 }), (bytes, partitions) => {
        const key = Buffer.from(bytes);
        expect(partitionOfKey(key, partitions)).toBe(kafkajsPartitionOf(key, partitions));
      }),
      { numRuns: 2_000, seed: 7 },
    );
  });

  it('spreads subjects evenly', () => {
    const counts = new Array<number>(12).fill(0);
    for (let n = 0; n < 12_000; n++) {
      const partition = partitionOfKey(Buffer.from(`demo|u:${n}`), 12);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    // Twelve fair dice: 1,000 each, standard deviation 30.
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });
});
