import avro from 'avsc';
import { PipelineError } from '../processors/core/errors.ts';
import type { Codec } from '../processors/runtime/ports.ts';
import { compileWalk } from './bounds.ts';
import type { Walk } from './bounds.ts';
import { recordSchema } from './records.ts';
import type { AvroSchema } from './records.ts';
import { valueSubject } from './registry.ts';
import type { SchemaRegistry, SchemaTopic } from './registry.ts';

/** Magic byte 0 and the id of the writer's schema, big-endian, before the value. */
const FRAME_BYTES = 5;
/** How long an id that the registry does not know is not asked for again. */
const UNKNOWN_MS = 30_000;
/** Ids remembered as unknown at once; rubbish may hold any number of them. */
const UNKNOWN_MAX = 10_000;
/** Requests to the registry in flight at once. */
const REQUESTS_MAX = 8;
/** A union of null and one other type, and of types that no value confuses: values stand without a wrapper. Copied for each use: the library adds its names. */
const PLAIN = { wrapUnions: false, omitRecordMethods: true } as const;

export interface CodecOptions {
  readonly registry: SchemaRegistry;
  readonly topics: readonly SchemaTopic[];
  /** Before each topic's name in its subject. */
  readonly prefix?: string;
  readonly clock: { now(): number };
}

export interface PreparedCodec extends Codec {
  /**
   * Looks up the ids under which this version writes to `topics`: once, at start, before any `encode`. Rejects with
   * `registry_unavailable`, or with `schema_incompatible` for a subject that does not hold our schema (`kizuna schemas register`).
   */
  prepare(topics: readonly string[]): Promise<void>;
}

/** How the values of one writer schema are read as ours; null: they cannot be. */
type Reading = { readonly walk: Walk; readonly resolver: object | undefined } | null;

interface TopicCodec {
  readonly subject: string;
  /** The schema as it is registered. */
  readonly text: string;
  readonly type: avro.Type;
  /** -1 until prepared. */
  writerId: number;
  readonly readings: Map<number, Reading>;
  /** Until when an id that the registry does not know counts as such. */
  readonly unknownUntil: Map<number, number>;
}

/**
 * Values as Confluent-framed Avro, with the writers' schemas learnt from a registry and kept. A value is `unknown_schema`
 * when the registry answers for the topic's subject but has no such schema, or has one that cannot be read as ours (another
 * record, a field of another type, a union branch that ours lacks); `undecodable` when the bytes are not a value of their
 * writer's schema, or hold a whole number of 2^52 or more. What a newer writer adds is dropped, its new enum symbols read as the default.
 */
export function createCodec({ registry, topics, prefix = '', clock }: CodecOptions): PreparedCodec {
  const codecs = new Map<string, TopicCodec>();
  let scratch = Buffer.alloc(64 * 1024);

  function codecOf(topic: string): TopicCodec {
    const known = codecs.get(topic);
    if (known !== undefined) return known;
    const record = topics.find(({ name }) => name === topic)?.schema;
    if (record === undefined || record === null) throw new RangeError(`no schema for the topic ${topic}`);
    const schema = recordSchema(record);
    const created: TopicCodec = {
      subject: valueSubject(topic, prefix),
      text: JSON.stringify(schema),
      type: avro.Type.forSchema(schema as avro.Schema, { ...PLAIN }),
      writerId: -1,
      readings: new Map(),
      unknownUntil: new Map(),
    };
    codecs.set(topic, created);
    return created;
  }

  async function learnId(codec: TopicCodec, id: number): Promise<void> {
    const text = await registry.schemaById(id);
    if (text !== null) {
      codec.unknownUntil.delete(id);
      codec.readings.set(id, readingOf(codec.type, text));
      return;
    }
    // A registry that has lost its subjects, or a wrong address, must not turn good records into dead letters.
    if ((await registry.latest(codec.subject)) === null) {
      throw new PipelineError('registry_unavailable', `the registry does not know the subject ${codec.subject}`, {
        retriable: true,
      });
    }
    if (codec.unknownUntil.size >= UNKNOWN_MAX) codec.unknownUntil.clear();
    codec.unknownUntil.set(id, clock.now() + UNKNOWN_MS);
  }

  return {
    async prepare(names) {
      for (const name of names) {
        const codec = codecOf(name);
        const found = await registry.find(codec.subject, codec.text);
        if (found === null) {
          const message = `the subject ${codec.subject} does not hold the schema this version writes: run kizuna schemas register`;
          throw new PipelineError('schema_incompatible', message, { retriable: false });
        }
        codec.writerId = found.id;
        codec.readings.set(found.id, readingOf(codec.type, codec.text));
      }
    },

    async learn(topic, values) {
      const codec = codecOf(topic);
      let wanted: Set<number> | undefined;
      let lastId = -1;
      for (const value of values) {
        if (value === null || value.length < FRAME_BYTES || value[0] !== 0) continue;
        const id = value.readUInt32BE(1);
        if (id === lastId || codec.readings.has(id)) {
          lastId = id;
          continue;
        }
        if ((codec.unknownUntil.get(id) ?? 0) > clock.now()) continue;
        (wanted ??= new Set()).add(id);
      }
      if (wanted === undefined) return;
      const ids = [...wanted];
      for (let at = 0; at < ids.length; at += REQUESTS_MAX) {
        await Promise.all(ids.slice(at, at + REQUESTS_MAX).map((id) => learnId(codec, id)));
      }
    },

    decode(topic, value) {
      if (value.length < FRAME_BYTES || value[0] !== 0) return 'undecodable';
      const codec = codecOf(topic);
      const reading = codec.readings.get(value.readUInt32BE(1));
      if (reading === undefined || reading === null) return 'unknown_schema';
      try {
        if (reading.walk(value, FRAME_BYTES) !== value.length) return 'undecodable';
        return codec.type.decode(value, FRAME_BYTES, reading.resolver).value as object;
      } catch {
        // Records inside each other deeper than the stack.
        return 'undecodable';
      }
    },

    encode(topic, value) {
      const codec = codecOf(topic);
      if (codec.writerId < 0) {
        throw new PipelineError('invariant_broken', `encode before prepare of ${topic}`, { retriable: false });
      }
      let end = codec.type.encode(value, scratch, FRAME_BYTES);
      if (end < 0) {
        scratch = Buffer.alloc((scratch.length - end) * 2);
        end = codec.type.encode(value, scratch, FRAME_BYTES);
      }
      scratch.writeUInt32BE(codec.writerId, 1);
      return Buffer.from(scratch.subarray(0, end));
    },
  };
}

function readingOf(type: avro.Type, writerText: string): Reading {
  try {
    // How the writer wraps its unions does not matter to us, so those that need a wrapper are let through.
    const writer = avro.Type.forSchema(JSON.parse(writerText) as avro.Schema, { omitRecordMethods: true });
    const walk = compileWalk(writer.schema() as AvroSchema, type.schema() as AvroSchema);
    // The specification compares unqualified names: a writer may keep its records in a namespace of its own.
    const resolver = writer.equals(type) ? undefined : type.createResolver(writer, { ignoreNamespaces: true });
    return { walk, resolver };
  } catch {
    return null;
  }
}
