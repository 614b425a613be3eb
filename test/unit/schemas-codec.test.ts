import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryRegistry } from '../../processors/runtime/memory/registry.ts';
import { createCodec } from '../../schemas/codec.ts';
import type { PreparedCodec } from '../../schemas/codec.ts';
import { recordSchema } from '../../schemas/records.ts';
import type { FieldSchema, RecordSchema } from '../../schemas/records.ts';
import { registerSchemas } from '../../schemas/register.ts';
import type { SchemaRegistry } from '../../schemas/registry.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { fullInteraction, interaction } from './schemas-samples.ts';

const TOPIC = 'interactions.v1';
const INTERACTION = recordSchema('Interaction');

let registry: SchemaRegistry;
let requests: string[];
let now: number;
let codec: PreparedCodec;

beforeEach(async () => {
  const memory = createMemoryRegistry();
  await registerSchemas(memory, TOPICS);
  requests = [];
  registry = {
    ...memory,
    schemaById: (id) => (requests.push(`schemaById ${String(id)}`), memory.schemaById(id)),
    latest: (subject) => (requests.push(`latest ${subject}`), memory.latest(subject)),
  };
  now = 0;
  codec = createCodec({ registry, topics: TOPICS, clock: { now: () => now } });
  await codec.prepare([TOPIC, 'commands.v1']);
});

const plainCopy = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const decoded = (bytes: Buffer): unknown => {
  const value = codec.decode(TOPIC, bytes);
  return typeof value === 'string' ? value : plainCopy(value);
};
const framed = (id: number, body: Buffer): Buffer => {
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(id, 1);
  return Buffer.concat([frame, body]);
};
/** Registers a writer's own schema under a subject of its own and learns its id. */
const learnt = async (schema: object): Promise<number> => {
  const { id } = await registry.register('other-value', JSON.stringify(schema), 'BACKWARD_TRANSITIVE');
  await codec.learn(TOPIC, [framed(id, Buffer.alloc(1))]);
  return id;
};
const changed = (change: (fields: FieldSchema[]) => FieldSchema[]): RecordSchema => ({
  ...INTERACTION,
  fields: change([...INTERACTION.fields]),
});

describe('bytes', () => {
  it('are magic 0, the id, and the fields in order', () => {
    const bytes = codec.encode('commands.v1', {
      commandId: 'c1',
      brandId: 'demo',
      kind: 'UNLINK',
      issuedAt: 1_700_000_000_000,
      issuedBy: 'ü',
      subject: 'u:1',
      target: null,
      reason: null,
    });
    expect(bytes.toString('hex')).toBe(
      ['00', '00000002', '046331', '0864656d6f', '04', '80a0abfef962', '04c3bc', '0206753a31', '00', '00'].join(''),
    );
  });

  it.each([
    ['a typical interaction', interaction()],
    ['one with every part', fullInteraction()],
    ['one with nothing optional', interaction({ sessionId: null, product: null })],
  ])('come back as they were: %s', (_name, value) => {
    expect(decoded(codec.encode(TOPIC, value))).toEqual(value);
  });

  it('come back as they were, whatever they say', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    const long = fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 });
    const values = fc.record({
      eventId: text,
      occurredAt: long,
      userId: fc.option(text),
      engagedMs: fc.option(long),
      machineGenerated: fc.boolean(),
      attributes: fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), text, { maxKeys: 40 }),
      score: fc.option(
        fc.record({
          metric: fc.constantFrom('NPS' as const, 'CSAT' as const),
          value: fc.integer(),
          surveyId: fc.option(text),
        }),
      ),
    });
    fc.assert(
      fc.property(values, (changes) => {
        const value = interaction(changes);
        expect(decoded(codec.encode(TOPIC, value))).toEqual(plainCopy(value));
      }),
    );
  });

  it('outgrow the buffer that values are written into', () => {
    const value = interaction({ text: 'ä'.repeat(300_000) });
    expect(decoded(codec.encode(TOPIC, value))).toEqual(value);
  });

  it('of one value are not touched by the next', () => {
    const first = codec.encode(TOPIC, interaction({ eventId: 'first' }));
    const copy = Buffer.from(first);
    codec.encode(TOPIC, interaction({ eventId: 'other' }));
    expect(first).toEqual(copy);
  });
});

describe('a value that does not fit', () => {
  it.each([
    ['a missing string', { eventId: undefined }],
    ['a symbol nobody knows', { type: 'DANCED' }],
    ['half a millisecond', { occurredAt: 0.5 }],
    ['a number beyond 2^53', { occurredAt: 2 ** 60 }],
    ['a number for a string', { userId: 7 }],
  ])('throws: %s', (_name, wrong) => {
    expect(() => codec.encode(TOPIC, { ...interaction(), ...wrong })).toThrow();
  });

  it('throws for a topic without a schema, and before it was prepared', () => {
    expect(() => codec.encode('interactions.v1.kizuna.intake.v1.dlq', {})).toThrow(/no schema/);
    expect(() => codec.encode('churn-risk.v1', {})).toThrow(/before prepare/);
  });
});

describe('bad bytes', () => {
  const sample = (): Buffer => codec.encode(TOPIC, fullInteraction());

  it('of every shorter length are undecodable', () => {
    const bytes = sample();
    for (let length = 0; length < bytes.length; length++) {
      expect(codec.decode(TOPIC, bytes.subarray(0, length)), `${String(length)} bytes`).toBe('undecodable');
    }
  });

  it('with something behind the value are undecodable', () => {
    expect(codec.decode(TOPIC, Buffer.concat([sample(), Buffer.alloc(1)]))).toBe('undecodable');
  });

  it('with another magic are undecodable', () => {
    const bytes = sample();
    bytes[0] = 1;
    expect(codec.decode(TOPIC, bytes)).toBe('undecodable');
  });

  it('with an enum index that has no symbol are undecodable', () => {
    const bytes = codec.encode(TOPIC, interaction({ userId: null }));
    // frame 5, eventId 3, brandId 5, occurredAt 6, three nulls: then the channel.
    expect(bytes[22]).toBe(2);
    bytes[22] = 126;
    expect(codec.decode(TOPIC, bytes)).toBe('undecodable');
    bytes[22] = 1;
    expect(codec.decode(TOPIC, bytes)).toBe('undecodable');
  });

  it.each([
    ['2^52', '80808080808080' + '10'],
    ['-2^52, which reads as a positive number from there on', 'ffffffffffffff' + '0f'],
    ['2^63 - 1', 'feffffffffffffffff01'],
    ['more than 64 bits', 'ffffffffffffffffffff01'],
  ])('with a number too large are undecodable: %s', (_name, varint) => {
    const bytes = codec.encode(TOPIC, interaction());
    const number = Buffer.from('80a0abfef962', 'hex');
    const at = bytes.indexOf(number);
    expect(at).toBe(13);
    const large = Buffer.concat([
      bytes.subarray(0, at),
      Buffer.from(varint, 'hex'),
      bytes.subarray(at + number.length),
    ]);
    expect(codec.decode(TOPIC, large)).toBe('undecodable');
  });

  it('of any kind never throw and never take long', () => {
    const bytes = sample();
    const id = bytes.subarray(0, 5);
    const rubbish = fc.uint8Array({ maxLength: 300 }).map((body) => Buffer.concat([id, body]));
    const damaged = fc
      .array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
      .map((changes) => {
        const copy = Buffer.from(bytes);
        for (const [at, byte] of changes) copy[at] = byte;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(rubbish, damaged), (value) => {
        const result = codec.decode(TOPIC, value);
        if (typeof result === 'string') expect(['undecodable', 'unknown_schema']).toContain(result);
        else expect(codec.encode(TOPIC, result).length).toBeGreaterThan(5);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('a newer writer', () => {
  it('may add fields anywhere and symbols: they are dropped and read as UNKNOWN', async () => {
    const newer = changed((fields) => {
      const widened = fields.map((field) =>
        field.name === 'channel'
          ? { ...field, type: { ...(field.type as object), symbols: ['UNKNOWN', 'WEB', 'GLASSES'] } }
          : field,
      ) as FieldSchema[];
      const added: FieldSchema = { name: 'gazes', type: { type: 'array', items: 'long' }, doc: '', default: [] };
      return [added, ...widened, { name: 'mood', type: ['null', 'string'], doc: '', default: null }];
    });
    const id = await learnt(newer);
    // gazes: one block of two items with its size; then the interaction; then mood.
    const body = codec.encode(TOPIC, interaction({ userId: null })).subarray(5);
    const gazes = Buffer.from([3, 22, ...Buffer.from('80808080808080808001', 'hex'), 8, 0]);
    const bytes = framed(id, Buffer.concat([gazes, body, Buffer.from([2, 4, 0x6f, 0x6b])]));
    expect(decoded(bytes)).toEqual(interaction({ userId: null }));
    bytes[5 + gazes.length + 17] = 4;
    expect(decoded(bytes)).toEqual(interaction({ userId: null, channel: 'UNKNOWN' }));
  });

  it('may leave out what has a default', async () => {
    const older = changed((fields) =>
      fields.filter(({ name }) => name !== 'attributes' && name !== 'machineGenerated'),
    );
    const id = await learnt(older);
    const body = codec.encode(TOPIC, interaction()).subarray(5);
    // Before experiment (null) machineGenerated falls away, and behind it the empty map.
    const bytes = framed(id, Buffer.concat([body.subarray(0, -3), body.subarray(-2, -1)]));
    expect(decoded(bytes)).toEqual(interaction());
  });

  it('may keep its records in a namespace of its own', async () => {
    const id = await learnt({ ...INTERACTION, namespace: 'com.example' });
    expect(decoded(framed(id, codec.encode(TOPIC, interaction()).subarray(5)))).toEqual(interaction());
  });

  it.each([
    ['another record', { type: 'record', name: 'Parcel', fields: [] }],
    [
      'a field of another type',
      changed((fields) =>
        fields.map((field) => ({ ...field, ...(field.name === 'eventId' ? { type: 'long' as const } : {}) })),
      ),
    ],
    ['a missing field without default', changed((fields) => fields.slice(1))],
    ['what is no Avro', {}],
  ])('that cannot be read as ours has an unknown schema: %s', async (_name, schema) => {
    const id = await learnt(schema);
    expect(codec.decode(TOPIC, framed(id, codec.encode(TOPIC, interaction()).subarray(5)))).toBe('unknown_schema');
    requests = [];
    await codec.learn(TOPIC, [framed(id, Buffer.alloc(1))]);
    expect(requests).toEqual([]);
  });
});
