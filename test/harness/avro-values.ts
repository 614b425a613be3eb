import avro from 'avsc';
import fc from 'fast-check';
import { recordSchema } from '../../schemas/records.ts';

/** The type of one of our records, as the codec makes it. */
export function typeOf(record: string): avro.Type {
  return avro.Type.forSchema(recordSchema(record) as avro.Schema, { wrapUnions: false, omitRecordMethods: true });
}

const TEXT = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({ minLength: 60, maxLength: 140 }),
);

/** Any value of a type. */
export function valuesOf(type: avro.Type): fc.Arbitrary<unknown> {
  if (type instanceof avro.types.RecordType) {
    return fc.record(Object.fromEntries(type.fields.map((field) => [field.name, valuesOf(field.type)])));
  }
  if (type instanceof avro.types.UnwrappedUnionType) return fc.oneof(...type.types.map(valuesOf));
  if (type instanceof avro.types.ArrayType) return fc.array(valuesOf(type.itemsType), { maxLength: 4 });
  if (type instanceof avro.types.MapType) {
    return fc.dictionary(fc.stringMatching(/^[a-zé]{1,9}$/), valuesOf(type.valuesType as avro.Type), { maxKeys: 4 });
  }
  if (type instanceof avro.types.EnumType) return fc.constantFrom(...type.symbols);
  switch (type.typeName) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'int':
      return fc.integer();
    case 'long':
      return fc.oneof(fc.integer(), fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 }));
    case 'double':
      return fc.double({ noNaN: true });
    case 'string':
      return TEXT;
    case 'bytes':
      return fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    default:
      throw new RangeError(`no values of ${type.typeName}`);
  }
}
