import { beforeEach, describe, expect, it } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import { createMemoryRegistry } from '../../processors/runtime/memory/registry.ts';
import { createCodec } from '../../schemas/codec.ts';
import type { PreparedCodec } from '../../schemas/codec.ts';
import { registerSchemas } from '../../schemas/register.ts';
import type { SchemaRegistry } from '../../schemas/registry.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { interaction } from './schemas-samples.ts';

const TOPIC = 'interactions.v1';
const DOWN = new PipelineError('registry_unavailable', 'down', { retriable: true });

let memory: SchemaRegistry;
let asked: number[];
let down: boolean;
let now: number;
let codec: PreparedCodec;
let bytes: Buffer;

beforeEach(async () => {
  memory = createMemoryRegistry();
  await registerSchemas(memory, TOPICS);
  asked = [];
  down = false;
  now = 1_000;
  const registry: SchemaRegistry = {
    ...memory,
    schemaById: (id) => {
      asked.push(id);
      return down ? Promise.reject(DOWN) : memory.schemaById(id);
    },
    latest: (subject) => (down ? Promise.reject(DOWN) : memory.latest(subject)),
  };
  codec = createCodec({ registry, topics: TOPICS, clock: { now: () => now } });
  const writer = createCodec({ registry: memory, topics: TOPICS, clock: { now: () => now } });
  await writer.prepare([TOPIC]);
  bytes = writer.encode(TOPIC, interaction());
});

const frame = (id: number): Buffer => {
  const value = Buffer.alloc(6);
  value.writeUInt32BE(id, 1);
  return value;
};

describe('a batch of values', () => {
  it('asks the registry once for each schema, and never again', async () => {
    await codec.learn(TOPIC, [bytes, null, bytes, Buffer.from([0, 1]), bytes]);
    expect(asked).toEqual([1]);
    await codec.learn(TOPIC, [bytes]);
    expect(asked).toEqual([1]);
    expect(codec.decode(TOPIC, bytes)).toMatchObject({ eventId: 'e1' });
  });

  it('does not ask for what has no frame', async () => {
    await codec.learn(TOPIC, [Buffer.from([1, 0, 0, 0, 9, 0]), Buffer.alloc(0), Buffer.from([0, 0, 0, 9])]);
    expect(asked).toEqual([]);
  });

  it('of which one cannot be learnt is given up while the registry is down, and decodes afterwards', async () => {
    down = true;
    await expect(codec.learn(TOPIC, [bytes])).rejects.toBe(DOWN);
    down = false;
    await codec.learn(TOPIC, [bytes]);
    expect(codec.decode(TOPIC, bytes)).toMatchObject({ eventId: 'e1' });
  });

  it('does not ask for the schema this version writes', async () => {
    await codec.prepare([TOPIC]);
    await codec.learn(TOPIC, [bytes]);
    expect(asked).toEqual([]);
  });
});

describe('an id that the registry does not know', () => {
  it('is an unknown schema, and is asked for again only after half a minute', async () => {
    await codec.learn(TOPIC, [frame(99), frame(99), bytes]);
    expect(codec.decode(TOPIC, frame(99))).toBe('unknown_schema');
    expect(codec.decode(TOPIC, bytes)).toMatchObject({ eventId: 'e1' });
    now += 29_999;
    await codec.learn(TOPIC, [frame(99)]);
    expect(asked).toEqual([99, 1]);
    now += 1;
    await codec.learn(TOPIC, [frame(99)]);
    expect(asked).toEqual([99, 1, 99]);
  });

  it('is read once the registry knows it', async () => {
    const { id: last } = await memory.register('last', '"string"', 'BACKWARD_TRANSITIVE');
    const late = Buffer.from(bytes);
    late.writeUInt32BE(last + 1, 1);
    await codec.learn(TOPIC, [late]);
    expect(codec.decode(TOPIC, late)).toBe('unknown_schema');
    const text = (await memory.schemaById(1)) ?? '';
    const { id } = await memory.register('late', text.replace('kizuna.v1', 'kizuna.late'), 'BACKWARD_TRANSITIVE');
    expect(id).toBe(last + 1);
    now += 30_000;
    await codec.learn(TOPIC, [late]);
    expect(codec.decode(TOPIC, late)).toMatchObject({ eventId: 'e1' });
  });

  it('stops the batch when the registry does not even know the topic', async () => {
    const empty = createMemoryRegistry();
    const lost = createCodec({ registry: empty, topics: TOPICS, clock: { now: () => now } });
    await expect(lost.learn(TOPIC, [bytes])).rejects.toMatchObject({ code: 'registry_unavailable', retriable: true });
  });
});

describe('the ids this version writes with', () => {
  it('come from subjects with the prefix', async () => {
    const registry = createMemoryRegistry();
    await registry.register('something-value', '"string"', 'FULL_TRANSITIVE');
    await registerSchemas(registry, TOPICS, { prefix: 'blue.' });
    const blue = createCodec({ registry, topics: TOPICS, prefix: 'blue.', clock: { now: () => now } });
    await blue.prepare([TOPIC]);
    expect(blue.encode(TOPIC, interaction()).readUInt32BE(1)).toBe(2);
  });

  it('are refused at start when a subject does not hold our schema', async () => {
    const green = createCodec({ registry: memory, topics: TOPICS, prefix: 'green.', clock: { now: () => now } });
    await expect(green.prepare([TOPIC])).rejects.toMatchObject({ code: 'schema_incompatible', retriable: false });
  });
});
