import { expect, it } from 'vitest';
import type { KafkaClient } from '../../processors/runtime/kafka/kafka-client.ts';
import { KafkaEmitter } from '../../processors/runtime/kafka/kafka-emitter.ts';
import type { PartitionCounts } from '../../processors/runtime/kafka/partition-counts.ts';
import { silentLog } from '../harness/runtime-fixture.ts';

const RECORD = { topic: 'a.v1', key: null, value: null, timestamp: 0, headers: {} };

it('a producer that gets no answer is given up, and the next send has another one', async () => {
  const events: string[] = [];
  let made = 0;
  const producer = () => {
    const name = ++made;
    return {
      connect: async () => undefined,
      sendBatch: () => {
        events.push(`sends ${name}`);
        // The first is frozen: it neither answers nor closes.
        return name === 1 ? new Promise(() => undefined) : Promise.resolve([]);
      },
      disconnect: () => {
        events.push(`closes ${name}`);
        return name === 1 ? new Promise(() => undefined) : Promise.resolve();
      },
    };
  };
  const client = { prompt: { producer }, patient: {} } as unknown as KafkaClient;
  const counts = { learn: async () => undefined, known: () => 1 } as unknown as PartitionCounts;
  const options = { prefix: '', producers: 1, compression: 'none', answerWithinMs: 20 } as const;
  const emitter = new KafkaEmitter(client, counts, options, silentLog);
  await expect(emitter.send([RECORD])).rejects.toMatchObject({ code: 'log_unavailable', retriable: true });
  await emitter.send([RECORD]);
  expect(events).toEqual(['sends 1', 'closes 1', 'sends 2']);
});
