import { expect, test } from 'vitest';
import { describeWithServices, sandbox } from '../harness/sandbox.ts';
import { askRegistry, connectMongodb, kafkaClient } from '../harness/service-clients.ts';

describeWithServices('the services that tests run on', () => {
  test('Kafka gives back what was produced, the largest interaction included', async () => {
    await using place = sandbox('services-kafka');
    const topic = `${place.prefix}interactions.v1`;
    const kafka = kafkaClient(place.kafkaBrokers);
    const admin = kafka.admin();
    const producer = kafka.producer({ allowAutoTopicCreation: false, createPartitioner: () => () => 0 });
    const consumer = kafka.consumer({ groupId: `${place.prefix}reader`, allowAutoTopicCreation: false });
    const largest = Buffer.alloc(6 * 1024 * 1024 - 1024, 'interaction ');
    const received = Promise.withResolvers<Buffer[]>();
    try {
      await admin.connect();
      const configEntries = [{ name: 'max.message.bytes', value: String(6 * 1024 * 1024) }];
      await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }] });
      await producer.connect();
      await producer.send({ topic, acks: -1, messages: [{ value: 'first' }] });
      await producer.send({ topic, acks: -1, messages: [{ value: largest }] });
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      const values: Buffer[] = [];
      await consumer.run({
        eachMessage: async ({ message }) => {
          if (message.value !== null) values.push(message.value);
          if (values.length === 2) received.resolve(values);
        },
      });
      const [first, second] = await received.promise;
      expect(first?.toString()).toBe('first');
      expect(second?.equals(largest)).toBe(true);
    } finally {
      await Promise.all([consumer.disconnect(), producer.disconnect(), admin.disconnect()]);
    }
  });

  test('Kafka refuses a topic that nobody created', async () => {
    await using place = sandbox('services-topics');
    const admin = kafkaClient(place.kafkaBrokers).admin({ retry: { retries: 0 } });
    try {
      await admin.connect();
      await expect(admin.fetchTopicOffsets(`${place.prefix}nowhere`)).rejects.toThrow(/does not host this topic/);
    } finally {
      await admin.disconnect();
    }
  });

  test('MongoDB is the primary of a replica set and acknowledges by majority and journal', async () => {
    await using place = sandbox('services-mongodb');
    const client = await connectMongodb(place.mongodbUri);
    try {
      const hello = await client.db('admin').command({ hello: 1 });
      expect(hello).toMatchObject({ setName: 'rs0', isWritablePrimary: true });
      const documents = client
        .db(place.database)
        .collection<{ _id: string; seq: number }>('documents', { writeConcern: { w: 'majority', journal: true } });
      await documents.insertOne({ _id: 'a', seq: 1 });
      const written = await documents.replaceOne({ _id: 'a', seq: { $lt: 2 } }, { seq: 2 });
      expect(written).toMatchObject({ acknowledged: true, modifiedCount: 1 });
      const read = await documents.find({}, { readConcern: 'majority' }).toArray();
      expect(read).toEqual([{ _id: 'a', seq: 2 }]);
    } finally {
      await client.close();
    }
  });

  test('the registry gives a schema back by its id and refuses an incompatible one', async () => {
    await using place = sandbox('services-registry');
    const subject = `/subjects/${place.prefix}interactions.v1-value/versions`;
    const register = (schema: object): Promise<unknown> =>
      askRegistry(place.schemaRegistryUrl, subject, {
        method: 'POST',
        body: JSON.stringify({ schema: JSON.stringify(schema) }),
      });
    const record = (...fields: object[]): object => ({
      type: 'record',
      name: 'Example',
      namespace: 'kizuna.v1',
      fields,
    });
    const first = record({ name: 'brandId', type: 'string' });

    await askRegistry(place.schemaRegistryUrl, `/config/${place.prefix}interactions.v1-value`, {
      method: 'PUT',
      body: JSON.stringify({ compatibility: 'BACKWARD_TRANSITIVE' }),
    });
    const { id } = (await register(first)) as { id: number };
    const found = (await askRegistry(place.schemaRegistryUrl, `/schemas/ids/${id}`)) as { schema: string };
    expect(JSON.parse(found.schema)).toEqual(first);
    await expect(register(record({ name: 'brandId', type: 'long' }))).rejects.toThrow(/409/);
  });
});
