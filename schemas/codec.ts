import avro from 'avsc';
import { PipelineError } from '../processors/core/errors.ts';
import { ByteWriter } from '../processors/core/packing.ts';
import { PackedValue, type ReadFields } from '../processors/core/processor.ts';
import type { Codec, DecodedValue } from '../processors/runtime/ports.ts';
import { compileWalk } from './bounds.ts';
import type { Walk } from './bounds.ts';
import { compileRead, readEnd, type Read } from './reading.ts';
import { projectSchema } from './projection.ts';
import { recordSchema } from './records.ts';
import type { AvroSchema, RecordSchema } from './records.ts';
import { valueSubject } from './registry.ts';
import type { SchemaRegistry, SchemaTopic } from './registry.ts';
import { compileWrite, type Origin, type Write } from './writing.ts';

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

/** How the values of one writer schema are read as ours. */
type Reading =
  /** The writer's schema is ours: in one pass (reading.ts). */
  | { readonly kind: 'own'; readonly read: Read }
  /** Any other: by the library, once the walk has proved that the bytes are sound. */
  | { readonly kind: 'foreign'; readonly walk: Walk; readonly resolver: object | undefined; readonly type: avro.Type }
  | { readonly kind: 'unreadable' };

/** What somebody reads of a topic's values: all of it, or only some fields. */
interface View {
  readonly type: avro.Type;
  readonly readings: Map<number, Reading>;
}

interface TopicCodec {
  readonly subject: string;
  readonly schema: RecordSchema;
  /** The schema as it is registered. */
  readonly text: string;
  readonly type: avro.Type;
  readonly write: Write;
  /** -1 until prepared. */
  writerId: number;
  /** The schemas learnt, by id. */
  readonly writers: Map<number, string>;
  readonly views: Map<ReadFields | undefined, View>;
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
  const scratch = new ByteWriter(64 * 1024);
  const handedOn: Origin = { value: NOTHING, bytes: Buffer.alloc(0), start: 0, end: 0 };

  function codecOf(topic: string): TopicCodec {
    const known = codecs.get(topic);
    if (known !== undefined) return known;
    const record = topics.find(({ name }) => name === topic)?.schema;
    if (record === undefined || record === null) throw new RangeError(`no schema for the topic ${topic}`);
    const schema = recordSchema(record);
    const type = avro.Type.forSchema(schema as avro.Schema, { ...PLAIN });
    const created: TopicCodec = {
      subject: valueSubject(topic, prefix),
      schema,
      text: JSON.stringify(schema),
      type,
      write: compileWrite(type, handedOn) ?? libraryWrite(type),
      writerId: -1,
      writers: new Map(),
      views: new Map(),
      unknownUntil: new Map(),
    };
    codecs.set(topic, created);
    return created;
  }

  async function learnId(codec: TopicCodec, id: number): Promise<void> {
    const text = await registry.schemaById(id);
    if (text !== null) {
      codec.unknownUntil.delete(id);
      codec.writers.set(id, text);
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

  function readingFor(codec: TopicCodec, fields: ReadFields | undefined, id: number): Reading | null {
    let view = codec.views.get(fields);
    if (view === undefined) {
      view = newView(codec, fields);
      codec.views.set(fields, view);
    }
    const known = view.readings.get(id);
    if (known !== undefined) return known;
    const text = codec.writers.get(id);
    if (text === undefined) return null;
    const reading = readingOf(codec.type, view.type, text);
    view.readings.set(id, reading);
    return reading;
  }

  function encodeInto(topic: string, value: object, writer: ByteWriter, origin: DecodedValue | null): void {
    const codec = codecOf(topic);
    if (codec.writerId < 0) {
      throw new PipelineError('invariant_broken', `encode before prepare of ${topic}`, { retriable: false });
    }
    writer.byte(0);
    writer.uint32(codec.writerId);
    if (value instanceof PackedValue) {
      writer.raw(value.bytes, 0, value.bytes.length);
      return;
    }
    handedOn.value = NOTHING;
    if (origin !== null && readingFor(codecOf(origin.topic), undefined, origin.bytes.readUInt32BE(1))?.kind === 'own') {
      handedOn.value = origin.value;
      handedOn.bytes = origin.bytes;
      handedOn.start = FRAME_BYTES;
      handedOn.end = origin.bytes.length;
    }
    codec.write(value, writer);
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
        codec.writers.set(found.id, codec.text);
      }
    },

    async learn(topic, values) {
      const codec = codecOf(topic);
      let wanted: Set<number> | undefined;
      let lastId = -1;
      for (const value of values) {
        if (value === null || value.length < FRAME_BYTES || value[0] !== 0) continue;
        const id = value.readUInt32BE(1);
        if (id === lastId || codec.writers.has(id)) {
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

    decode(topic, value, fields) {
      if (value.length < FRAME_BYTES || value[0] !== 0) return 'undecodable';
      const reading = readingFor(codecOf(topic), fields, value.readUInt32BE(1));
      if (reading === null || reading.kind === 'unreadable') return 'unknown_schema';
      if (reading.kind === 'own') {
        const read = reading.read(value, FRAME_BYTES);
        return readEnd === value.length ? (read as object) : 'undecodable';
      }
      try {
        if (reading.walk(value, FRAME_BYTES) !== value.length) return 'undecodable';
        return reading.type.decode(value, FRAME_BYTES, reading.resolver).value as object;
      } catch {
        // Records inside each other deeper than the stack.
        return 'undecodable';
      }
    },

    encode(topic, value) {
      scratch.reset();
      encodeInto(topic, value, scratch, null);
      return scratch.copy();
    },

    encodeInto,
  };
}

/** No record is this one. */
const NOTHING = Symbol('nothing');

/** The writing of what compileWrite cannot: through the library and a copy. */
function libraryWrite(type: avro.Type): Write {
  return (value, writer) => {
    const bytes = type.toBuffer(value);
    writer.raw(bytes, 0, bytes.length);
  };
}

function newView({ schema, type }: TopicCodec, fields: ReadFields | undefined): View {
  const shown =
    fields === undefined ? type : avro.Type.forSchema(projectSchema(schema, fields) as avro.Schema, { ...PLAIN });
  return { type: shown, readings: new Map() };
}

function readingOf(whole: avro.Type, type: avro.Type, writerText: string): Reading {
  try {
    // How the writer wraps its unions does not matter to us, so those that need a wrapper are let through.
    const writer = avro.Type.forSchema(JSON.parse(writerText) as avro.Schema, { omitRecordMethods: true });
    const isOurs = writer.equals(whole);
    const read = isOurs ? compileRead(whole, type) : null;
    if (read !== null) return { kind: 'own', read };
    // What our schema has is held to its bounds, whether it is read or not.
    const walk = compileWalk(writer.schema() as AvroSchema, whole.schema() as AvroSchema);
    // The specification compares unqualified names: a writer may keep its records in a namespace of its own.
    const resolver = isOurs && type === whole ? undefined : type.createResolver(writer, { ignoreNamespaces: true });
    // A writer whose values cannot all be read as ours is refused, even when the fields that are asked for could be.
    if (type !== whole) whole.createResolver(writer, { ignoreNamespaces: true });
    return { kind: 'foreign', walk, resolver, type };
  } catch {
    return { kind: 'unreadable' };
  }
}
