import { expect, test } from 'vitest';
import { TOPICS } from '../../topics/catalog.ts';
import { createProcessors, encodedTopics, topicDirectory } from '../../processors/catalog.ts';
import { loadDefinitions, shippedDefinitions } from '../../processors/definitions/load.ts';
import { embedServices } from '../../processors/runtime/embed.ts';
import { InProcess } from '../../processors/runtime/in-process.ts';
import type { OwnedPartition } from '../../processors/runtime/owned-partition.ts';
import type { LogRecord } from '../../processors/runtime/ports.ts';
import type { Interaction } from '../../schemas/types.ts';
import { interaction, NOW } from './intake-fixture.ts';
import { LIMITS, RecordingMeter, silentLog } from '../harness/runtime-fixture.ts';

/**
 * The whole chain on whatever a valid record may hold: times from the beginning to the end of what Avro can say, the largest
 * sums, empty texts. Every record ends in one outcome, and nothing throws.
 */
const INPUT = 'interactions.v1';
const LARGEST = 2 ** 52 - 1;
const TIMES = [NOW, NOW - 1, 0, -1, 1, -LARGEST, NOW - 366 * 86_400_000, NOW + 299_999, NOW - 3_600_000];
const RECORD_TIMES = [NOW, NOW + 1, NOW - 40 * 86_400_000, 0, NOW + 400 * 86_400_000];
const AMOUNTS = [0, 1, 999_999_999_999, 1_000_000_000_000];
const POINTS = ['0', '-0', '+5', '-7', '9999999999', '99999999999999999999', '999999999999999', 'x', ''];

test('the chain takes the extremes of every field without a throw, and counts each record once', async () => {
  const clock = { now: () => NOW };
  await using services = await embedServices({ topics: TOPICS, partitions: 1, clock, keepRecords: 0 });
  const processors = createProcessors(await loadDefinitions(shippedDefinitions));
  await services.codec.prepare([INPUT, ...encodedTopics(processors)]);
  const meter = new RecordingMeter();
  const { store, codec } = services;
  const owned = new Set<OwnedPartition>();
  const ports = { store, codec, clock, meter, logger: silentLog, topics: topicDirectory, limits: LIMITS, owned };
  let published = 0;
  const chain = new InProcess(processors, ports, () => (published += 1));
  await chain.open();

  let fed = 0;
  const feed = async (interactions: readonly Interaction[], timestamp: number): Promise<void> => {
    const records = interactions.map((each): Omit<LogRecord, 'offset'> => {
      fed += 1;
      const value = codec.encode(INPUT, { ...each, eventId: `e-${fed}` });
      return { key: null, value, timestamp, headers: {} };
    });
    await chain.feed(INPUT, records);
  };
  for (const timestamp of RECORD_TIMES) {
    for (const occurredAt of TIMES) {
      await feed(
        [
          ...(['ORDER_PLACED', 'ORDER_CANCELLED', 'ORDER_REFUNDED'] as const).flatMap((type) =>
            AMOUNTS.map((amountMinor, index): Interaction => {
              const order = { orderId: `o${index % 2}`, amountMinor, currency: 'JPY', guest: false, items: [] };
              return { ...interaction(), occurredAt, type, order };
            }),
          ),
          ...POINTS.map((points): Interaction => ({
            ...interaction(),
            occurredAt,
            type: 'POINTS_EARNED',
            attributes: { points },
          })),
          { ...interaction(), occurredAt, type: 'IDENTIFIED', attributes: { '': '', plan: '\u0000' } },
          { ...interaction(), occurredAt, engagedMs: LARGEST, type: 'PAGE_ENGAGEMENT' },
          { ...interaction(), occurredAt, engagedMs: -LARGEST, machineGenerated: true, type: 'MESSAGE_OPENED' },
        ],
        timestamp,
      );
    }
  }
  await chain.end(NOW + 800 * 86_400_000);
  expect(published).toBeGreaterThan(0);
  expect(meter.consumedRecords).toBe(meter.counted);
  expect(fed).toBe(RECORD_TIMES.length * TIMES.length * 24);
});
