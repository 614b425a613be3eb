import { isUnion } from './records.ts';
import type { AvroSchema } from './records.ts';
import { BAD, next, readVarint } from './varint.ts';

/**
 * A walk over an Avro value that never leaves its bytes. The Avro library trusts the counts it reads: four hostile bytes
 * make it loop a thousand million times or go back in the buffer for ever. What this walk accepts it decodes in a time
 * bounded by the length of the bytes.
 */

/** Answers where the value that starts at `at` ends, or -1 when the bytes are not such a value. */
export type Walk = (bytes: Buffer, at: number) => number;

/** Whole numbers of this size and beyond are refused: further on the library reads negative ones as positive. */
export const WHOLE_LIMIT = 2 ** 52;

/**
 * Compiles the walk of a writer's schema with full names, as the Avro library's `Type.schema()` gives it. `reader` tells
 * which fields are read: what is dropped may hold any number.
 */
export function compileWalk(writer: AvroSchema, reader: AvroSchema): Walk {
  const fieldsRead = new Map<string, ReadonlySet<string>>();
  collectFields(reader, fieldsRead);
  return compile(writer, true, { fieldsRead, named: new Map() });
}

interface Compilation {
  /** The fields of each record of the reader, by unqualified name. */
  readonly fieldsRead: ReadonlyMap<string, ReadonlySet<string>>;
  readonly named: Map<string, { walk: Walk }>;
}

function compile(schema: AvroSchema, read: boolean, compilation: Compilation): Walk {
  const { fieldsRead, named } = compilation;
  if (typeof schema === 'string') return primitiveWalk(schema, read) ?? namedWalk(schema, named);
  if (isUnion(schema)) return unionWalk(schema.map((branch) => compile(branch, read, compilation)));
  switch (schema.type) {
    case 'record': {
      const holder = { walk: never };
      named.set(schema.name, holder);
      const names = fieldsRead.get(unqualified(schema.name));
      holder.walk = recordWalk(
        schema.fields.map((field) => compile(field.type, names?.has(field.name) ?? false, compilation)),
      );
      return holder.walk;
    }
    case 'enum':
      named.set(schema.name, { walk: enumWalk(schema.symbols.length) });
      return namedWalk(schema.name, named);
    case 'fixed':
      named.set(schema.name, { walk: fixedWalk(schema.size) });
      return namedWalk(schema.name, named);
    case 'array':
      return blocksWalk(compile(schema.items, read, compilation));
    case 'map':
      return blocksWalk(recordWalk([bytesWalk, compile(schema.values, read, compilation)]));
    default:
      return compile(schema.type, read, compilation);
  }
}

function collectFields(schema: AvroSchema, into: Map<string, ReadonlySet<string>>): void {
  if (typeof schema === 'string') return;
  if (isUnion(schema)) for (const branch of schema) collectFields(branch, into);
  else if (schema.type === 'array') collectFields(schema.items, into);
  else if (schema.type === 'map') collectFields(schema.values, into);
  else if (schema.type === 'record') {
    into.set(unqualified(schema.name), new Set(schema.fields.map(({ name }) => name)));
    for (const field of schema.fields) collectFields(field.type, into);
  }
}

function unqualified(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

const never: Walk = () => BAD;

const anyLongWalk: Walk = (bytes, at) => {
  readVarint(bytes, at);
  return next;
};

const longWalk: Walk = (bytes, at) => {
  const value = readVarint(bytes, at);
  return value < WHOLE_LIMIT && value > -WHOLE_LIMIT ? next : BAD;
};

const intWalk: Walk = (bytes, at) => {
  const value = readVarint(bytes, at);
  return value === (value | 0) ? next : BAD;
};

const bytesWalk: Walk = (bytes, at) => {
  const first = bytes[at];
  // Nearly every length is one byte.
  if (first !== undefined && first < 128 && (first & 1) === 0) {
    const end = at + 1 + (first >> 1);
    return end <= bytes.length ? end : BAD;
  }
  const length = readVarint(bytes, at);
  // A bad varint reads as the length 0, and BAD + 0 is BAD.
  return length >= 0 && next + length <= bytes.length ? next + length : BAD;
};

const booleanWalk: Walk = (bytes, at) => (bytes[at] === 0 || bytes[at] === 1 ? at + 1 : BAD);

function fixedWalk(size: number): Walk {
  return (bytes, at) => (at + size <= bytes.length ? at + size : BAD);
}

function primitiveWalk(name: string, read: boolean): Walk | undefined {
  switch (name) {
    case 'null':
      return (_bytes, at) => at;
    case 'boolean':
      return booleanWalk;
    case 'int':
      return intWalk;
    case 'long':
      return read ? longWalk : anyLongWalk;
    case 'float':
      return fixedWalk(4);
    case 'double':
      return fixedWalk(8);
    case 'string':
    case 'bytes':
      return bytesWalk;
    default:
      return undefined;
  }
}

function namedWalk(name: string, named: ReadonlyMap<string, { walk: Walk }>): Walk {
  const holder = named.get(name);
  if (holder === undefined) throw new RangeError(`undefined type ${name}`);
  // Through the holder: a record may stand inside itself.
  return holder.walk === never ? (bytes, at) => holder.walk(bytes, at) : holder.walk;
}

function recordWalk(fields: readonly Walk[]): Walk {
  return (bytes, at) => {
    for (const field of fields) {
      at = field(bytes, at);
      if (at < 0) return BAD;
    }
    return at;
  };
}

function enumWalk(symbols: number): Walk {
  return (bytes, at) => {
    const index = readVarint(bytes, at);
    return index >= 0 && index < symbols ? next : BAD;
  };
}

function unionWalk(branches: readonly Walk[]): Walk {
  const any: Walk = (bytes, at) => {
    const branch = branches[readVarint(bytes, at)];
    return branch === undefined || next < 0 ? BAD : branch(bytes, next);
  };
  const [first, second] = branches;
  if (first === undefined || second === undefined) return any;
  // The index of most values is one byte, 0 or 2.
  return (bytes, at) => {
    const index = bytes[at];
    if (index === 0) return first(bytes, at + 1);
    return index === 2 ? second(bytes, at + 1) : any(bytes, at);
  };
}

/** Arrays and maps: blocks of items, a negative count followed by the block's size in bytes, ended by a count of 0. */
function blocksWalk(item: Walk): Walk {
  return (bytes, at) => {
    for (;;) {
      let count = readVarint(bytes, at);
      if (next < 0) return BAD;
      at = next;
      if (count === 0) return at;
      let end = BAD;
      if (count < 0) {
        count = -count;
        const size = readVarint(bytes, at);
        if (next < 0 || size < 0) return BAD;
        at = next;
        end = at + size;
      }
      // No item that means anything is empty, so a greater count is a lie.
      if (count > bytes.length - at) return BAD;
      for (; count > 0; count--) {
        at = item(bytes, at);
        if (at < 0) return BAD;
      }
      if (end >= 0 && at !== end) return BAD;
    }
  };
}
