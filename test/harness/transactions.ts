import { randomUUID } from 'node:crypto';
import kafkajs from 'kafkajs';

/** Sends values to partition 0 of a topic in one transaction of a foreign producer, which then leaves its marker behind. */
export async function sendInTransaction(
  brokers: readonly string[],
  topic: string,
  values: readonly string[],
  end: 'commit' | 'abort',
): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({ transactionalId: randomUUID(), idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  try {
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) });
    await transaction[end]();
  } finally {
    await producer.disconnect();
  }
}
