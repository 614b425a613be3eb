import { readdirSync, readFileSync } from 'node:fs';

/** A schema with every name written out: what stands in a `.avsc` file, as JSON. */
export type AvroSchema = string | readonly AvroSchema[] | ComplexSchema;
export type ComplexSchema = RecordSchema | EnumSchema | ArraySchema | MapSchema | FixedSchema | AnnotatedSchema;
export type NamedSchema = RecordSchema | EnumSchema;

interface Named {
  readonly name: string;
  readonly namespace?: string;
  readonly doc?: string;
}
export interface RecordSchema extends Named {
  readonly type: 'record';
  readonly fields: readonly FieldSchema[];
}
export interface FieldSchema {
  readonly name: string;
  readonly type: AvroSchema;
  readonly doc?: string;
  readonly default?: unknown;
  readonly aliases?: readonly string[];
}
export interface EnumSchema extends Named {
  readonly type: 'enum';
  readonly symbols: readonly string[];
  /** Read in place of a symbol that the reader does not know. */
  readonly default?: string;
}
export interface ArraySchema {
  readonly type: 'array';
  readonly items: AvroSchema;
}
export interface MapSchema {
  readonly type: 'map';
  readonly values: AvroSchema;
}
export interface FixedSchema extends Named {
  readonly type: 'fixed';
  readonly size: number;
}
/** A primitive with something to say about it. */
export interface AnnotatedSchema {
  readonly type: 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'string' | 'bytes';
  readonly logicalType?: string;
}

const FOLDER = new URL('./', import.meta.url);
const loaded = new Map<string, NamedSchema>();

/** The names of all `.avsc` files, sorted: records and the enums that several records share. */
export function schemaNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.avsc'))
    .map((file) => file.slice(0, -'.avsc'.length))
    .sort();
}

/** One `.avsc` file as it stands, names of other files unresolved. Throws when there is no such file. */
export function schemaFile(name: string): NamedSchema {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  // The files are our own, and a guard test compiles each: their shape needs no check at run time.
  const schema = JSON.parse(readFileSync(new URL(`${name}.avsc`, FOLDER), 'utf8')) as NamedSchema;
  loaded.set(name, schema);
  return schema;
}

/**
 * The record of `<name>.avsc` with the named types of other files written out at their first use, as a registry and any
 * other reader needs it. Throws when there is no such record.
 */
export function recordSchema(name: string): RecordSchema {
  const schema = schemaFile(name);
  if (schema.type !== 'record') throw new RangeError(`schemas/${name}.avsc is not a record`);
  const written = new Set<string>();
  return writeOut(schema, written, new Set(schemaNames())) as RecordSchema;
}

function writeOut(schema: AvroSchema, written: Set<string>, files: ReadonlySet<string>): AvroSchema {
  if (typeof schema === 'string') {
    if (written.has(schema) || !files.has(schema)) return schema;
    return writeOut(schemaFile(schema), written, files);
  }
  if (isUnion(schema)) return schema.map((branch) => writeOut(branch, written, files));
  if ('name' in schema) written.add(schema.name);
  switch (schema.type) {
    case 'record':
      return {
        ...schema,
        fields: schema.fields.map((field) => ({ ...field, type: writeOut(field.type, written, files) })),
      };
    case 'array':
      return { ...schema, items: writeOut(schema.items, written, files) };
    case 'map':
      return { ...schema, values: writeOut(schema.values, written, files) };
    default:
      return schema;
  }
}

/** `Array.isArray` does not narrow a readonly array away. */
export function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema);
}
