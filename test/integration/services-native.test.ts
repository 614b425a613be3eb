import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, type TestContext } from 'vitest';
import type { NativeServer } from '../harness/native-process.ts';
import { startNativeStack, type ServiceName } from '../harness/native-stack.ts';
import { ServicesUnavailable } from '../harness/native-tools.ts';
import { registryUrl } from '../harness/native-registry.ts';
import { askRegistry, connectMongodb, kafkaClient } from '../harness/service-clients.ts';

/** One server of this test's own, stopped and removed after it; skips the test on a machine that cannot run it. */
async function ownServer(name: ServiceName, { skip }: TestContext): Promise<NativeServer> {
  const folder = await mkdtemp(join(tmpdir(), 'kizuna-native-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  try {
    const { [name]: server } = await startNativeStack([name], { folder, ports: {}, outlives: false });
    if (server === undefined) throw new Error(`${name} was not started`);
    onTestFinished(() => server.stop());
    return server;
  } catch (error) {
    if (error instanceof ServicesUnavailable) return skip(error.message);
    throw error;
  }
}

/** Killed without warning and started again: another process, at the same address. */
async function killAndStart(server: NativeServer): Promise<void> {
  const { pid, port } = server;
  await server.kill('SIGKILL');
  expect(server.pid).toBeUndefined();
  await server.start();
  expect(server.pid).not.toBe(pid);
  expect(server.port).toBe(port);
}

test('a killed Kafka comes back with its records', async (context) => {
  const server = await ownServer('kafka', context);
  const kafka = kafkaClient([`127.0.0.1:${server.port}`]);
  const admin = kafka.admin();
  const producer = kafka.producer({ allowAutoTopicCreation: false, createPartitioner: () => () => 0 });
  await admin.connect();
  await producer.connect();
  await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 1 }] });
  await producer.send({ topic: 'kept', acks: -1, messages: [{ value: 'before' }] });
  await Promise.all([producer.disconnect(), admin.disconnect()]);

  await killAndStart(server);
  const again = kafkaClient([`127.0.0.1:${server.port}`]).admin();
  await again.connect();
  const offsets = await again.fetchTopicOffsets('kept');
  await again.disconnect();
  expect(offsets).toEqual([{ partition: 0, offset: '1', high: '1', low: '0' }]);
});

test('a killed MongoDB comes back as primary, with what it acknowledged', async (context) => {
  const server = await ownServer('mongodb', context);
  const uri = `mongodb://127.0.0.1:${server.port}/?replicaSet=rs0`;
  const client = await connectMongodb(uri);
  const written = client.db('kizuna').collection<{ _id: string }>('kept');
  await written.insertOne({ _id: 'before' }, { writeConcern: { w: 'majority', journal: true } });
  await client.close();

  await killAndStart(server);
  const again = await connectMongodb(uri);
  const found = await again.db('kizuna').collection<{ _id: string }>('kept').find().toArray();
  await again.close();
  expect(found).toEqual([{ _id: 'before' }]);
});

test('a killed registry comes back with the ids that records carry', async (context) => {
  const server = await ownServer('schemaRegistry', context);
  const url = registryUrl(server.port);
  const schema = JSON.stringify({ type: 'record', name: 'Kept', fields: [{ name: 'brandId', type: 'string' }] });
  const registration = { method: 'POST', body: JSON.stringify({ schema }) };
  const { id } = (await askRegistry(url, '/subjects/kept-value/versions', registration)) as { id: number };

  await killAndStart(server);
  expect(await askRegistry(url, `/schemas/ids/${id}`)).toMatchObject({ schema });
});
