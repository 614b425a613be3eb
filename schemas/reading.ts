import avro from 'avsc';
import { compileWalk, WHOLE_LIMIT, type Walk } from './bounds.ts';
import type { AvroSchema } from './records.ts';
import { BAD, next, readVarint } from './varint.ts';

/**
 * Values of our own schemas read in one pass that never leaves their bytes: bounds.ts and the Avro library's decoder in one,
 * for a writer whose schema is the reader's. A field that the reader leaves out is walked over, so that nothing is made of it.
 * test/unit/schemas-reading.test.ts holds what comes out against the library.
 */

/** Answers the value that starts at `at` and leaves its end in `readEnd`: BAD when the bytes are not such a value. */
export type Read = (bytes: Buffer, at: number) => unknown;

/** Where the last value read ended. Shared, like the varint's. */
export let readEnd = 0;

/** Makes a record of its fields' values in their order, with one hidden class for all of them. */
type RecordConstructor = new (...values: unknown[]) => object;

/**
 * Compiles the reading of `reader`, which is `writer` less some fields. Answers null when it holds what is not read here:
 * fixed, and records inside themselves.
 */
export function compileRead(writer: avro.Type, reader: avro.Type): Read | null {
  return readOf(writer, reader, []);
}

function readOf(writer: avro.Type, reader: avro.Type, inside: readonly avro.Type[]): Read | null {
  if (writer instanceof avro.types.RecordType && reader instanceof avro.types.RecordType) {
    return inside.includes(writer) ? null : recordRead(writer, reader, [...inside, writer]);
  }
  if (writer instanceof avro.types.UnwrappedUnionType && reader instanceof avro.types.UnwrappedUnionType) {
    const branches = writer.types.map((branch, index) => readOf(branch, reader.types[index] ?? branch, inside));
    return isWhole(branches) ? unionRead(branches) : null;
  }
  if (writer instanceof avro.types.ArrayType && reader instanceof avro.types.ArrayType) {
    const item = readOf(writer.itemsType, reader.itemsType, inside);
    return item === null ? null : arrayRead(item);
  }
  if (writer instanceof avro.types.MapType && reader instanceof avro.types.MapType) {
    const value = readOf(writer.valuesType as avro.Type, reader.valuesType as avro.Type, inside);
    return value === null ? null : mapRead(value);
  }
  if (writer instanceof avro.types.EnumType) return enumRead(writer.symbols);
  return PRIMITIVES[writer.typeName] ?? null;
}

function isWhole(reads: readonly (Read | null)[]): reads is readonly Read[] {
  return !reads.includes(null);
}

const readText: Read = (bytes, at) => {
  let length = bytes[at] ?? 1;
  let from = at + 1;
  // Nearly every length is one byte.
  if (length < 128) length = (length & 1) === 0 ? length >> 1 : -1;
  else {
    length = readVarint(bytes, at);
    from = next;
  }
  const end = from + length;
  if (length < 0 || from < 0 || end > bytes.length) {
    readEnd = BAD;
    return undefined;
  }
  readEnd = end;
  return length === 0 ? '' : bytes.toString(undefined, from, end);
};

const readLong: Read = (bytes, at) => {
  const value = readVarint(bytes, at);
  readEnd = value < WHOLE_LIMIT && value > -WHOLE_LIMIT ? next : BAD;
  return value;
};

const readInt: Read = (bytes, at) => {
  const value = readVarint(bytes, at);
  readEnd = value === (value | 0) ? next : BAD;
  return value;
};

const readBoolean: Read = (bytes, at) => {
  const byte = bytes[at];
  readEnd = byte === 0 || byte === 1 ? at + 1 : BAD;
  return byte === 1;
};

const readDouble: Read = (bytes, at) => {
  readEnd = at + 8 <= bytes.length ? at + 8 : BAD;
  return readEnd < 0 ? undefined : bytes.readDoubleLE(at);
};

/** A copy: what is kept of it must not keep the whole message alive. */
const readBytes: Read = (bytes, at) => {
  const length = readVarint(bytes, at);
  const end = next + length;
  if (next < 0 || length < 0 || end > bytes.length) {
    readEnd = BAD;
    return undefined;
  }
  const from = next;
  readEnd = end;
  return Buffer.from(bytes.subarray(from, end));
};

const readNull: Read = (_bytes, at) => {
  readEnd = at;
  return null;
};

const PRIMITIVES: Readonly<Record<string, Read>> = {
  null: readNull,
  boolean: readBoolean,
  int: readInt,
  long: readLong,
  double: readDouble,
  string: readText,
  bytes: readBytes,
};

function enumRead(symbols: readonly string[]): Read {
  return (bytes, at) => {
    const symbol = symbols[readVarint(bytes, at)];
    readEnd = symbol === undefined ? BAD : next;
    return symbol;
  };
}

function unionRead(branches: readonly Read[]): Read {
  return (bytes, at) => {
    const first = bytes[at];
    // The index of most values is one byte, and most of them are null.
    if (first === 0 && branches[0] === readNull) {
      readEnd = at + 1;
      return null;
    }
    const branch = branches[readVarint(bytes, at)];
    if (branch !== undefined && next >= 0) return branch(bytes, next);
    readEnd = BAD;
    return undefined;
  };
}

/** One field that is read, and what is walked over before it. */
interface FieldRead {
  readonly skipped: Walk | null;
  readonly read: Read;
}

function recordRead(
  writer: avro.types.RecordType,
  reader: avro.types.RecordType,
  inside: readonly avro.Type[],
): Read | null {
  const kept = new Map(reader.fields.map((field) => [field.name, field.type]));
  const fields: FieldRead[] = [];
  let skipped: avro.Type[] = [];
  for (const field of writer.fields) {
    const keptType = kept.get(field.name);
    if (keptType === undefined) {
      skipped.push(field.type);
      continue;
    }
    const read = readOf(field.type, keptType, inside);
    if (read === null) return null;
    fields.push({ skipped: walkOver(skipped), read });
    skipped = [];
  }
  return fieldsRead(fields, walkOver(skipped), reader.recordConstructor as RecordConstructor);
}

function fieldsRead(fields: readonly FieldRead[], rest: Walk | null, make: RecordConstructor): Read {
  // One serves every record of this place, because none stands inside itself.
  const values = new Array<unknown>(fields.length).fill(undefined);
  return (bytes, start) => {
    let at = start;
    for (let index = 0; index < fields.length; index++) {
      const field = fields[index];
      if (field === undefined) break;
      if (field.skipped !== null) at = field.skipped(bytes, at);
      if (at >= 0) {
        values[index] = field.read(bytes, at);
        at = readEnd;
      }
      if (at < 0) {
        readEnd = BAD;
        return undefined;
      }
    }
    if (rest !== null) at = rest(bytes, at);
    readEnd = at;
    return at < 0 ? undefined : new make(...values);
  };
}

/** Numbers in what is left out are held to the same bounds as if it were read. */
function walkOver(types: readonly avro.Type[]): Walk | null {
  if (types.length === 0) return null;
  const fields = types.map((type, index) => ({ name: `f${index}`, type: type.schema() as AvroSchema }));
  const schema: AvroSchema = { type: 'record', name: 'Skipped', fields };
  return compileWalk(schema, schema);
}

function arrayRead(item: Read): Read {
  return (bytes, at) => {
    const items: unknown[] = [];
    readBlocks(bytes, at, (itemAt) => {
      items.push(item(bytes, itemAt));
    });
    return items;
  };
}

function mapRead(value: Read): Read {
  return (bytes, at) => {
    const entries: Record<string, unknown> = {};
    if (bytes[at] === 0) {
      readEnd = at + 1;
      return entries;
    }
    readBlocks(bytes, at, (entryAt) => {
      const name = readText(bytes, entryAt);
      if (readEnd >= 0) entries[String(name)] = value(bytes, readEnd);
    });
    return entries;
  };
}

/** Blocks of items as in bounds.ts; `readItem` leaves each item's end in `readEnd`. */
function readBlocks(bytes: Buffer, start: number, readItem: (at: number) => void): void {
  let at = start;
  for (;;) {
    let count = readVarint(bytes, at);
    at = next;
    if (at < 0 || count === 0) break;
    let end = BAD;
    if (count < 0) {
      count = -count;
      const size = readVarint(bytes, at);
      if (next < 0 || size < 0) {
        at = BAD;
        break;
      }
      at = next;
      end = at + size;
    }
    // No item that means anything is empty, so a greater count is a lie.
    if (count > bytes.length - at) {
      at = BAD;
      break;
    }
    for (; count > 0 && at >= 0; count--) {
      readItem(at);
      at = readEnd;
    }
    if (at < 0 || (end >= 0 && at !== end)) {
      at = BAD;
      break;
    }
  }
  readEnd = at;
}
