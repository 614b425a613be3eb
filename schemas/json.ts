import { WHOLE_LIMIT } from './bounds.ts';
import { isUnion, recordSchema } from './records.ts';
import type { AvroSchema, EnumSchema, NamedSchema, RecordSchema } from './records.ts';
import type { RecordName, Records } from './types.ts';

/** What a plain JSON object says as a record, or what is wrong with it: the path of the first fault and what it should be. */
export type FromJson<Value> = { readonly value: Value } | { readonly fault: string };

/** ISO 8601: a date alone (midnight UTC), or a date and a time that says its zone, for without one it depends on the machine. */
const ISO_TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2}))?$/;
const INT_MAX = 2 ** 31 - 1;

/**
 * A record as plain JSON: fields in the order of the schema, nulls written, times in milliseconds since the epoch, bytes in
 * base64. The value must fit the schema.
 */
export function toJson(record: RecordName, value: object): Record<string, unknown> {
  return converterOf(record).toJson(value) as Record<string, unknown>;
}

/**
 * A record from plain JSON. An absent field is its default, or null; a field the record does not have is a fault. Times are
 * ISO 8601 or milliseconds since the epoch; whole numbers must be below 2^52; an enum symbol that the schema does not know is
 * its default, as from a newer writer.
 */
export function fromJson<Name extends RecordName>(record: Name, json: unknown): FromJson<Records[Name]> {
  try {
    // The converter builds exactly what the schema says, and the types are generated from the schema.
    return { value: converterOf(record).fromJson(json, '') as Records[Name] };
  } catch (error) {
    if (error instanceof Misfit) return { fault: error.message };
    throw error;
  }
}

class Misfit extends Error {
  constructor(path: string, expected: string) {
    super(`${path === '' ? 'the record' : path}: ${expected}`);
  }
}

interface Converter {
  toJson(value: unknown): unknown;
  /** Throws Misfit. */
  fromJson(json: unknown, path: string): unknown;
}

const converters = new Map<string, Converter>();

function converterOf(record: string): Converter {
  const known = converters.get(record);
  if (known !== undefined) return known;
  const converter = convert(recordSchema(record), new Map());
  converters.set(record, converter);
  return converter;
}

function convert(schema: AvroSchema, named: Map<string, Converter>): Converter {
  if (typeof schema === 'string') return named.get(schema) ?? primitive(schema);
  if (isUnion(schema)) return unionOf(schema, named);
  switch (schema.type) {
    case 'record':
      return define(schema, recordOf(schema, named), named);
    case 'enum':
      return define(schema, enumOf(schema), named);
    case 'array': {
      const item = convert(schema.items, named);
      return {
        toJson: (value) => (value as unknown[]).map((each) => item.toJson(each)),
        fromJson: (json, path) => {
          if (!Array.isArray(json)) throw new Misfit(path, 'expected an array');
          return json.map((each, index) => item.fromJson(each, `${path}[${index}]`));
        },
      };
    }
    case 'map': {
      const entry = convert(schema.values, named);
      return {
        toJson: (value) => mapEntries(value as object, (each) => entry.toJson(each)),
        fromJson: (json, path) => {
          if (!isObject(json)) throw new Misfit(path, 'expected an object');
          return mapEntries(json, (each, key) => entry.fromJson(each, `${path}.${key}`));
        },
      };
    }
    case 'fixed':
      return primitive('bytes');
    default:
      return 'logicalType' in schema && schema.logicalType === 'timestamp-millis' ? TIME : primitive(schema.type);
  }
}

function define(schema: NamedSchema, converter: Converter, named: Map<string, Converter>): Converter {
  named.set(schema.name, converter);
  return converter;
}

function recordOf(schema: RecordSchema, named: Map<string, Converter>): Converter {
  const fields = schema.fields.map((field) => {
    const converter = convert(field.type, named);
    const nullable = isUnion(field.type) && field.type.includes('null');
    const absent = field.default !== undefined ? field.default : nullable ? null : undefined;
    return { name: field.name, converter, absent };
  });
  const names = new Set(fields.map(({ name }) => name));
  return {
    toJson(value) {
      const json: Record<string, unknown> = {};
      for (const { name, converter } of fields) json[name] = converter.toJson((value as Record<string, unknown>)[name]);
      return json;
    },
    fromJson(json, path) {
      if (!isObject(json)) throw new Misfit(path, 'expected an object');
      const at = path === '' ? '' : `${path}.`;
      for (const name of Object.keys(json)) {
        if (!names.has(name)) throw new Misfit(`${at}${name}`, `no such field in ${schema.name}`);
      }
      const value: Record<string, unknown> = {};
      for (const { name, converter, absent } of fields) {
        const given = json[name] === undefined ? absent : json[name];
        if (given === undefined) throw new Misfit(`${at}${name}`, 'missing');
        value[name] = converter.fromJson(given, `${at}${name}`);
      }
      return value;
    },
  };
}

function enumOf(schema: EnumSchema): Converter {
  const symbols = new Set(schema.symbols);
  return {
    toJson: (value) => value,
    fromJson: (json, path) => {
      if (typeof json !== 'string') throw new Misfit(path, `expected a symbol of ${schema.name}`);
      const symbol = symbols.has(json) ? json : schema.default;
      if (symbol === undefined) throw new Misfit(path, `no such symbol in ${schema.name}`);
      return symbol;
    },
  };
}

/** The branch is found by the kind of the value: our unions never hold two of the same kind (the codec would refuse them). */
function unionOf(branches: readonly AvroSchema[], named: Map<string, Converter>): Converter {
  const converted = branches.map((branch) => ({ kind: jsonKind(branch), converter: convert(branch, named) }));
  const kinds = converted.map(({ kind }) => kind).filter((kind) => kind !== 'null');
  const only = kinds.length === 1 ? converted.find(({ kind }) => kind !== 'null')?.converter : undefined;
  const branchOf = (value: unknown): Converter | undefined =>
    only ?? converted.find(({ kind }) => kind === valueKind(value))?.converter;
  return {
    toJson: (value) => (value === null ? null : branchOf(value)?.toJson(value)),
    fromJson: (json, path) => {
      if (json === null) return null;
      const converter = branchOf(json);
      if (converter === undefined) throw new Misfit(path, `expected ${kinds.join(' or ')}`);
      return converter.fromJson(json, path);
    },
  };
}

function primitive(name: string): Converter {
  switch (name) {
    case 'null':
      return plain((json) => json === null, 'null');
    case 'boolean':
      return plain((json) => typeof json === 'boolean', 'true or false');
    case 'int':
      return plain(
        (json) => Number.isInteger(json) && Math.abs(json as number) <= INT_MAX,
        'a whole number of 32 bits',
      );
    case 'long':
      return plain(isWhole, 'a whole number below 2^52');
    case 'float':
    case 'double':
      return plain((json) => typeof json === 'number', 'a number');
    case 'string':
      return plain((json) => typeof json === 'string', 'a string');
    case 'bytes':
      return {
        toJson: (value) => (value as Buffer).toString('base64'),
        fromJson: (json, path) => {
          if (typeof json !== 'string') throw new Misfit(path, 'expected a string in base64');
          return Buffer.from(json, 'base64');
        },
      };
    default:
      throw new RangeError(`undefined type ${name}`);
  }
}

const TIME: Converter = {
  toJson: (value) => value,
  fromJson: (json, path) => {
    const time = typeof json === 'string' && ISO_TIME.test(json) ? Date.parse(json) : json;
    if (!isWhole(time)) throw new Misfit(path, 'expected an ISO 8601 time or milliseconds since the epoch');
    return time;
  },
};

function isWhole(json: unknown): boolean {
  return Number.isInteger(json) && Math.abs(json as number) < WHOLE_LIMIT;
}

function plain(fits: (json: unknown) => boolean, expected: string): Converter {
  return {
    toJson: (value) => value,
    fromJson: (json, path) => {
      if (!fits(json)) throw new Misfit(path, `expected ${expected}`);
      return json;
    },
  };
}

function jsonKind(branch: AvroSchema): string {
  const type = typeof branch === 'string' || isUnion(branch) ? branch : branch.type;
  if (type === 'int' || type === 'long' || type === 'float' || type === 'double') return 'number';
  if (type === 'enum' || type === 'bytes' || type === 'fixed') return 'string';
  if (type === 'null' || type === 'boolean' || type === 'string' || type === 'array') return type;
  return 'object';
}

function valueKind(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value;
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function mapEntries(object: object, change: (value: unknown, key: string) => unknown): Record<string, unknown> {
  // Defined, not assigned: a key may be `__proto__`.
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value, key)]));
}
