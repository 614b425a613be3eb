import { isUnion } from './records.ts';
import type { AvroSchema, EnumSchema, RecordSchema } from './records.ts';

/** Why a reader cannot read what a writer wrote. */
export interface Incompatibility {
  /** The field, with dots between records and `[]` for items; empty for the record itself. */
  readonly field: string;
  readonly reason: string;
}

interface Names {
  readonly reader: Map<string, AvroSchema>;
  readonly writer: Map<string, AvroSchema>;
  /** Pairs of named types that are being compared already: a record may stand inside itself. */
  readonly seen: Set<string>;
}

const PROMOTIONS: Readonly<Record<string, readonly string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
};

/**
 * Everything that keeps a reader from reading any value of the writer, after the Avro specification's schema resolution;
 * empty when nothing does. Both schemas are self-contained, a type being defined at its first use.
 */
export function readingFaults(reader: AvroSchema, writer: AvroSchema): Incompatibility[] {
  return compare(reader, writer, '', { reader: new Map(), writer: new Map(), seen: new Set() });
}

function compare(readerSchema: AvroSchema, writerSchema: AvroSchema, field: string, names: Names): Incompatibility[] {
  const reader = lookUp(readerSchema, names.reader);
  const writer = lookUp(writerSchema, names.writer);
  if (isUnion(writer)) return writer.flatMap((branch) => compare(reader, branch, field, names));
  if (isUnion(reader)) {
    const tries = reader.map((branch) => compare(branch, writer, field, names));
    if (tries.some((faults) => faults.length === 0)) return [];
    // The branch of the same kind says best what is wrong.
    const same = tries.find(
      (_faults, index) => kindOf(lookUp(reader[index] ?? 'null', names.reader)) === kindOf(writer),
    );
    return same ?? [{ field, reason: `${kindOf(writer)} is no branch of the union any more` }];
  }
  if (typeof reader === 'object' && typeof writer === 'object') {
    if (reader.type === 'record' && writer.type === 'record') return compareRecords(reader, writer, field, names);
    if (reader.type === 'enum' && writer.type === 'enum') return compareEnums(reader, writer, field);
    if (reader.type === 'array' && writer.type === 'array') {
      return compare(reader.items, writer.items, `${field}[]`, names);
    }
    if (reader.type === 'map' && writer.type === 'map')
      return compare(reader.values, writer.values, `${field}{}`, names);
    if (reader.type === 'fixed' && writer.type === 'fixed') {
      if (reader.size === writer.size && sameName(reader, writer)) return [];
      return [
        { field, reason: `fixed ${writer.name} of ${writer.size} bytes became ${reader.name} of ${reader.size}` },
      ];
    }
  }
  const from = kindOf(writer);
  const to = kindOf(reader);
  const primitive = isPrimitive(from) && (from === to || (PROMOTIONS[from]?.includes(to) ?? false));
  return primitive ? [] : [{ field, reason: `${from} cannot be read as ${to}` }];
}

function compareRecords(reader: RecordSchema, writer: RecordSchema, at: string, names: Names): Incompatibility[] {
  if (!sameName(reader, writer)) {
    return [{ field: at, reason: `the record ${writer.name} was renamed to ${reader.name}` }];
  }
  const pair = `${reader.name}|${writer.name}`;
  if (names.seen.has(pair)) return [];
  names.seen.add(pair);
  return reader.fields.flatMap((field) => {
    const name = at === '' ? field.name : `${at}.${field.name}`;
    const written = writer.fields.find((other) => other.name === field.name || field.aliases?.includes(other.name));
    if (written !== undefined) return compare(field.type, written.type, name, names);
    return field.default === undefined
      ? [{ field: name, reason: 'it has no default, and the writer does not write it' }]
      : [];
  });
}

function compareEnums(reader: EnumSchema, writer: EnumSchema, field: string): Incompatibility[] {
  if (!sameName(reader, writer)) return [{ field, reason: `the enum ${writer.name} was renamed to ${reader.name}` }];
  const gone = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol));
  if (gone.length === 0 || reader.default !== undefined) return [];
  return [{ field, reason: `${gone.join(', ')} cannot be read: the enum ${reader.name} has no default symbol` }];
}

/** Remembers a definition and resolves a name. */
function lookUp(schema: AvroSchema, known: Map<string, AvroSchema>): AvroSchema {
  if (typeof schema === 'string') return known.get(unqualified(schema)) ?? schema;
  if (!isUnion(schema) && 'name' in schema) define(schema, known);
  return schema;
}

/** A definition may stand in a part of the schema that the other side lacks: all of them are collected at once. */
function define(schema: AvroSchema, known: Map<string, AvroSchema>): void {
  if (typeof schema === 'string') return;
  if (isUnion(schema)) {
    for (const branch of schema) define(branch, known);
    return;
  }
  if ('name' in schema) {
    if (known.has(unqualified(schema.name))) return;
    known.set(unqualified(schema.name), schema);
  }
  if (schema.type === 'record') for (const field of schema.fields) define(field.type, known);
  if (schema.type === 'array') define(schema.items, known);
  if (schema.type === 'map') define(schema.values, known);
}

function kindOf(schema: AvroSchema): string {
  if (typeof schema === 'string') return schema;
  return isUnion(schema) ? 'union' : schema.type;
}

function isPrimitive(kind: string): boolean {
  return !['record', 'enum', 'array', 'map', 'fixed', 'union'].includes(kind);
}

function sameName(reader: { readonly name: string }, writer: { readonly name: string }): boolean {
  return unqualified(reader.name) === unqualified(writer.name);
}

function unqualified(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}
