import avro from 'avsc';
import type { ByteWriter } from '../processors/core/packing.ts';
import { PackedValue } from '../processors/core/processor.ts';
import { WHOLE_LIMIT } from './bounds.ts';

/**
 * Values of our own schemas written as Avro straight behind what is in a writer already: the Avro library writes into a
 * buffer of its own, from which everything is copied. test/unit/schemas-writing.test.ts holds the bytes against the library's.
 */

/** Writes one value. A value that does not fit the schema is a bug and throws. */
export type Write = (value: unknown, writer: ByteWriter) => void;

/** A record that was read a moment ago, and the bytes it came as. */
export interface Origin {
  value: unknown;
  bytes: Buffer;
  start: number;
  end: number;
}

/**
 * Compiles the writing of a type. Answers null when it holds what is not written here: fixed, float, and records inside
 * themselves. A record within the value that is the very one of `origin` is written as the bytes it came as.
 */
export function compileWrite(type: avro.Type, origin: Origin | null): Write | null {
  return writeOf(type, origin, []);
}

function writeOf(type: avro.Type, origin: Origin | null, inside: readonly avro.Type[]): Write | null {
  if (type instanceof avro.types.RecordType) {
    return inside.includes(type) ? null : recordWrite(type, origin, [...inside, type]);
  }
  if (type instanceof avro.types.UnwrappedUnionType) return unionWrite(type, origin, inside);
  if (type instanceof avro.types.ArrayType) {
    const item = writeOf(type.itemsType, origin, inside);
    return item === null ? null : arrayWrite(item, type);
  }
  if (type instanceof avro.types.MapType) {
    const value = writeOf(type.valuesType as avro.Type, origin, inside);
    return value === null ? null : mapWrite(value, type);
  }
  if (type instanceof avro.types.EnumType) return enumWrite(type);
  return PRIMITIVES[type.typeName] ?? null;
}

function refuse(value: unknown, type: avro.Type | string): never {
  throw new TypeError(
    `a ${value === null ? 'null' : typeof value} does not fit ${typeof type === 'string' ? type : String(type)}`,
  );
}

const writeText: Write = (value, writer) => {
  if (typeof value !== 'string') refuse(value, 'string');
  else writer.avroString(value);
};

const writeLong: Write = (value, writer) => {
  // What is larger would not be read again.
  if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) >= WHOLE_LIMIT) refuse(value, 'long');
  else writer.int(value);
};

const writeInt: Write = (value, writer) => {
  if (typeof value !== 'number' || value !== (value | 0)) refuse(value, 'int');
  else writer.int(value);
};

const writeDouble: Write = (value, writer) => {
  if (typeof value !== 'number') refuse(value, 'double');
  else writer.double(value);
};

const writeBoolean: Write = (value, writer) => {
  if (typeof value !== 'boolean') refuse(value, 'boolean');
  else writer.byte(value ? 1 : 0);
};

const writeBytes: Write = (value, writer) => {
  if (!(value instanceof Uint8Array)) return refuse(value, 'bytes');
  writer.int(value.length);
  writer.raw(Buffer.from(value.buffer, value.byteOffset, value.length), 0, value.length);
};

const writeNull: Write = (value) => {
  if (value !== null) refuse(value, 'null');
};

const PRIMITIVES: Readonly<Record<string, Write>> = {
  null: writeNull,
  boolean: writeBoolean,
  int: writeInt,
  long: writeLong,
  double: writeDouble,
  string: writeText,
  bytes: writeBytes,
};

function enumWrite(type: avro.types.EnumType): Write {
  const indices = new Map<unknown, number>(type.symbols.map((symbol, index) => [symbol, index]));
  return (value, writer) => {
    const index = indices.get(value);
    if (index === undefined) refuse(value, type);
    else writer.int(index);
  };
}

function arrayWrite(item: Write, type: avro.Type): Write {
  return (value, writer) => {
    if (value instanceof PackedValue) return writer.raw(value.bytes, 0, value.bytes.length);
    if (!Array.isArray(value)) return refuse(value, type);
    const items: readonly unknown[] = value;
    if (items.length > 0) {
      writer.int(items.length);
      for (let index = 0; index < items.length; index++) item(items[index], writer);
    }
    writer.byte(0);
  };
}

function mapWrite(write: Write, type: avro.Type): Write {
  return (value, writer) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(value, type);
    const entries = value as Readonly<Record<string, unknown>>;
    const names = Object.keys(entries);
    if (names.length > 0) {
      writer.int(names.length);
      for (const name of names) {
        writer.avroString(name);
        write(entries[name], writer);
      }
    }
    writer.byte(0);
  };
}

interface FieldWrite {
  readonly name: string;
  readonly write: Write;
  /** What stands for a field that is absent; undefined: it must be there. */
  readonly absent: unknown;
}

function recordWrite(type: avro.types.RecordType, origin: Origin | null, inside: readonly avro.Type[]): Write | null {
  const fields: FieldWrite[] = [];
  for (const field of type.fields) {
    const write = writeOf(field.type, origin, inside);
    if (write === null) return null;
    fields.push({ name: field.name, write, absent: field.defaultValue() as unknown });
  }
  return (value, writer) => {
    if (value === origin?.value && origin !== null) return writer.raw(origin.bytes, origin.start, origin.end);
    if (typeof value !== 'object' || value === null) return refuse(value, type);
    const record = value as Readonly<Record<string, unknown>>;
    for (let index = 0; index < fields.length; index++) {
      const field = fields[index];
      if (field === undefined) break;
      const held = record[field.name];
      field.write(held === undefined ? field.absent : held, writer);
    }
  };
}

/** A union is told by the JavaScript type of the value, so no two branches may have the same. */
function unionWrite(
  type: avro.types.UnwrappedUnionType,
  origin: Origin | null,
  inside: readonly avro.Type[],
): Write | null {
  const writes: Write[] = [];
  const places = new Map<string, number>();
  for (const [place, branch] of type.types.entries()) {
    const write = writeOf(branch, origin, inside);
    if (write === null) return null;
    writes.push(write);
    const kind = kindOfType(branch);
    if (places.has(kind)) return null;
    places.set(kind, place);
  }
  const nullAt = places.get('null') ?? -1;
  return (value, writer) => {
    const place = value === null ? nullAt : (places.get(kindOfValue(value)) ?? -1);
    const write = writes[place];
    if (write === undefined) return refuse(value, type);
    writer.int(place);
    write(value, writer);
  };
}

function kindOfType(type: avro.Type): string {
  switch (type.typeName) {
    case 'int':
    case 'long':
    case 'double':
      return 'number';
    case 'enum':
      return 'string';
    case 'record':
    case 'map':
    case 'bytes':
      return 'object';
    default:
      return type.typeName;
  }
}

function kindOfValue(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value;
}
