import type { ReadFields } from '../processors/core/processor.ts';
import { isUnion, type AvroSchema, type RecordSchema } from './records.ts';

/** The schema with only those fields of its records that `fields` names: what a reader declares who wants no others. */
export function projectSchema(schema: RecordSchema, fields: ReadFields): RecordSchema {
  const definitions = new Map<string, AvroSchema>();
  collect(schema, definitions);
  // A record stands only where it is kept, so the first place that keeps a named type must define it.
  return keepRecord(schema, fields, { definitions, written: new Set() });
}

interface Projection {
  readonly definitions: ReadonlyMap<string, AvroSchema>;
  readonly written: Set<string>;
}

function keep(schema: AvroSchema, fields: ReadFields | true, projection: Projection): AvroSchema {
  if (typeof schema === 'string') {
    const definition = projection.definitions.get(schema);
    return definition === undefined || projection.written.has(schema) ? schema : keep(definition, fields, projection);
  }
  if (isUnion(schema)) return schema.map((branch) => keep(branch, fields, projection));
  switch (schema.type) {
    case 'record':
      return keepRecord(schema, fields, projection);
    case 'array':
      return { ...schema, items: keep(schema.items, fields, projection) };
    case 'map':
      return { ...schema, values: keep(schema.values, fields, projection) };
    default:
      if ('name' in schema) projection.written.add(schema.name);
      return schema;
  }
}

function keepRecord(schema: RecordSchema, fields: ReadFields | true, projection: Projection): RecordSchema {
  projection.written.add(schema.name);
  const kept = schema.fields.filter(({ name }) => fields === true || fields[name] !== undefined);
  return {
    ...schema,
    fields: kept.map((field) => {
      const below = fields === true ? true : (fields[field.name] ?? true);
      return { ...field, type: keep(field.type, below, projection) };
    }),
  };
}

function collect(schema: AvroSchema, into: Map<string, AvroSchema>): void {
  if (typeof schema === 'string') return;
  if (isUnion(schema)) {
    for (const branch of schema) collect(branch, into);
    return;
  }
  if ('name' in schema) into.set(schema.name, schema);
  if (schema.type === 'record') for (const field of schema.fields) collect(field.type, into);
  else if (schema.type === 'array') collect(schema.items, into);
  else if (schema.type === 'map') collect(schema.values, into);
}
