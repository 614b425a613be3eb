import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compiledOn } from '../harness/compiled-rule.ts';
import { documents, profiles, rules } from '../harness/rule-generators.ts';
import { describeWithServices, sandbox } from '../harness/sandbox.ts';
import { connectMongodb } from '../harness/service-clients.ts';

type Client = Awaited<ReturnType<typeof connectMongodb>>;

const SEED = 20_260_101;
const DOCUMENTS = 400;
const RULES = 1_500;

describeWithServices('the same text selects the same customers in find() and in process', () => {
  let client: Client;
  let drop: () => Promise<unknown>;
  let databaseName: string;

  beforeAll(async () => {
    const { mongodbUri, database } = sandbox('rules');
    databaseName = database;
    client = await connectMongodb(mongodbUri);
    drop = () => client.db(database).dropDatabase();
  });

  afterAll(async () => {
    await drop();
    await client.close();
  });

  test.each([
    ['documents with anything anywhere', documents],
    ['profiles as they really are', profiles],
  ])('over %s', async (name, generator) => {
    const stored = fc.sample(generator, { numRuns: DOCUMENTS, seed: SEED });
    const collection = client.db(databaseName).collection<{ _id: number }>(name.replaceAll(' ', '-'));
    await collection.insertMany(stored.map((document, _id) => ({ ...document, _id })));
    const differences: unknown[] = [];
    let selected = 0;
    for (const rule of fc.sample(rules, { numRuns: RULES, seed: SEED })) {
      const found = await collection.find(rule, { projection: { _id: 1 }, sort: { _id: 1 } }).toArray();
      const matches = compiledOn(rule);
      const compiled = stored.flatMap((document, _id) => (matches(document) ? [_id] : []));
      const server = found.map(({ _id }) => _id);
      if (server.join() !== compiled.join()) differences.push({ rule, server, compiled });
      selected += server.length;
    }
    expect(differences).toEqual([]);
    // Neither all nor nothing: the rules do tell documents apart.
    expect(selected).toBeGreaterThan(RULES * DOCUMENTS * 0.1);
    expect(selected).toBeLessThan(RULES * DOCUMENTS * 0.9);
  });
});
