import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createMemoryRegistry } from '../../processors/runtime/memory/registry.ts';
import { checkHistory } from '../../schemas/check.ts';
import { createCodec } from '../../schemas/codec.ts';
import { generateTypes } from '../../schemas/generate.ts';
import { isUnion, recordSchema, schemaFile, schemaNames } from '../../schemas/records.ts';
import type { AvroSchema, FieldSchema } from '../../schemas/records.ts';
import { registerSchemas } from '../../schemas/register.ts';
import type { CustomerEvent } from '../../schemas/types.ts';
import { TOPICS, topicOf } from '../../topics/catalog.ts';

const topicRecords = TOPICS.flatMap(({ schema }) => (schema === null ? [] : [schema]));

describe('the schemas', () => {
  it('are what schemas/types.ts was generated from', async () => {
    expect(await generateTypes()).toBe(readFileSync(new URL('../../schemas/types.ts', import.meta.url), 'utf8'));
  });

  it('read every published version as the topics demand, with a doc on everything', () => {
    expect(checkHistory(TOPICS)).toEqual([]);
  });

  it('are in files named after them, in one namespace', () => {
    for (const name of schemaNames()) expect(schemaFile(name)).toMatchObject({ name, namespace: 'kizuna.v1' });
  });

  it('are all used: by a topic, or by another schema', () => {
    const inside = topicRecords.map((name) => JSON.stringify(recordSchema(name)));
    for (const name of schemaNames()) {
      expect(
        inside.some((text) => text.includes(`"name":"${name}"`)),
        name,
      ).toBe(true);
    }
  });

  it('give every enum UNKNOWN first, read for what a newer writer adds, and every field that may be null the default null', () => {
    const visit = (schema: AvroSchema): void => {
      if (typeof schema === 'string') return;
      if (isUnion(schema)) schema.forEach(visit);
      else if (schema.type === 'enum') expect(schema.symbols[0], schema.name).toBe(schema.default);
      else if (schema.type === 'array') visit(schema.items);
      else if (schema.type === 'map') visit(schema.values);
      else if (schema.type === 'record') schema.fields.forEach(visitField);
    };
    const visitField = (field: FieldSchema): void => {
      if (isUnion(field.type)) expect([field.type[0], field.default], field.name).toEqual(['null', null]);
      visit(field.type);
    };
    for (const name of schemaNames()) visit(schemaFile(name));
  });
});

describe('the largest valid interaction', () => {
  it('fits the internal topic, however it is spelt', async () => {
    // Four bytes a character, so that limits in bytes and in characters are both reached.
    const wide = (bytes: number, start = ''): string => `${start}${'𐍈'.repeat((bytes - Buffer.byteLength(start)) / 4)}`;
    const attributes = Object.fromEntries(
      Array.from({ length: 32 }, (_each, index) => [wide(64, String(index).padStart(4, '0')), wide(1024)]),
    );
    const item = { productId: wide(256), category: wide(256), quantity: 2 ** 31 - 1, priceMinor: 2 ** 52 - 1 };
    const event: CustomerEvent = {
      brandId: 'b'.repeat(64),
      subject: `u:${wide(256)}`,
      kind: 'INTERACTION',
      identity: null,
      interaction: {
        eventId: wide(128),
        brandId: 'b'.repeat(64),
        occurredAt: 2 ** 52 - 1,
        userId: wide(256),
        anonymousId: wide(256),
        emailHash: wide(256),
        channel: 'STORY',
        type: 'CUSTOM',
        touchpoint: wide(256),
        campaignId: wide(256),
        messageId: wide(256),
        sessionId: wide(256),
        pageViewId: wide(256),
        product: { productId: wide(256), category: wide(256), priceMinor: 2 ** 52 - 1 },
        order: {
          orderId: wide(256),
          amountMinor: 2 ** 52 - 1,
          currency: 'EUR',
          guest: true,
          items: Array.from({ length: 200 }, () => item),
        },
        score: { metric: 'RATING', value: 2 ** 31 - 1, surveyId: wide(256) },
        text: wide(32 * 1024),
        language: wide(256),
        engagedMs: 2 ** 52 - 1,
        machineGenerated: true,
        experiment: { experimentId: wide(256), variant: wide(256) },
        attributes,
      },
    };
    const registry = createMemoryRegistry();
    await registerSchemas(registry, TOPICS);
    const codec = createCodec({ registry, topics: TOPICS, clock: { now: () => 0 } });
    await codec.prepare(['customer-events.v1']);
    const bytes = codec.encode('customer-events.v1', event);
    // 200 items of two names are 106 kB, 32 attributes 35 kB, the text 33 kB.
    expect(bytes.length).toBeGreaterThan(170_000);
    expect(bytes.length).toBeLessThan(topicOf('customer-events.v1').maxMessageBytes / 4);
    expect(codec.decode('customer-events.v1', bytes)).toMatchObject({ subject: event.subject });
  });
});
