import avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { READ_FIELDS } from '../../processors/customer/read-fields.ts';
import { compileWalk } from '../../schemas/bounds.ts';
import { projectSchema } from '../../schemas/projection.ts';
import { compileRead, readEnd, type Read } from '../../schemas/reading.ts';
import { recordSchema, type AvroSchema, type RecordSchema } from '../../schemas/records.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { typeOf, valuesOf } from '../harness/avro-values.ts';

const RECORDS = [...new Set(TOPICS.flatMap(({ schema }) => schema ?? []))];
const BAD = 'not such a value';

function readingOf(type: avro.Type, reader = type): Read {
  const read = compileRead(type, reader);
  if (read === null) throw new Error('it should be read here');
  return read;
}

/** What comes of the bytes by the walk and the library, which this stands for. */
function byLibrary(type: avro.Type, bytes: Buffer): unknown {
  const schema = type.schema() as AvroSchema;
  return compileWalk(schema, schema)(bytes, 0) === bytes.length ? type.fromBuffer(bytes) : BAD;
}

function read(reading: Read, bytes: Buffer): unknown {
  const value = reading(bytes, 0);
  return readEnd === bytes.length ? value : BAD;
}

describe.each(RECORDS)('%s', (record) => {
  const type = typeOf(record);
  const reading = readingOf(type);

  it('is read as the library reads it', () => {
    fc.assert(
      fc.property(valuesOf(type), (value) => {
        const bytes = type.toBuffer(value);
        expect(read(reading, bytes)).toEqual(byLibrary(type, bytes));
      }),
      { numRuns: 60 },
    );
  });

  it('is refused, or read the same, when bytes are changed, lost or added', () => {
    const change = fc.record({ at: fc.nat(), byte: fc.nat(255), kind: fc.constantFrom('set', 'cut', 'add') });
    fc.assert(
      fc.property(valuesOf(type), fc.array(change, { minLength: 1, maxLength: 3 }), (value, changes) => {
        let bytes = type.toBuffer(value);
        for (const { at, byte, kind } of changes) {
          const place = at % (bytes.length + 1);
          if (kind === 'cut') bytes = bytes.subarray(0, place);
          else if (kind === 'add')
            bytes = Buffer.concat([bytes.subarray(0, place), Buffer.of(byte), bytes.subarray(place)]);
          else bytes = Buffer.from(bytes.map((each, index) => (index === place ? byte : each)));
        }
        expect(read(reading, bytes)).toEqual(byLibrary(type, bytes));
      }),
      { numRuns: 150 },
    );
  });
});

describe('only some fields', () => {
  const whole = typeOf('CustomerEvent');
  const some = avro.Type.forSchema(projectSchema(recordSchema('CustomerEvent'), READ_FIELDS) as avro.Schema, {
    wrapUnions: false,
    omitRecordMethods: true,
  });
  const reading = readingOf(whole, some);

  it('are read as the library reads them, and nothing is made of the others', () => {
    const resolver = some.createResolver(whole);
    fc.assert(
      fc.property(valuesOf(whole), (value) => {
        const bytes = whole.toBuffer(value);
        expect(read(reading, bytes)).toEqual(some.fromBuffer(bytes, resolver));
      }),
    );
  });

  it('are refused for whatever the whole is refused for', () => {
    const wholeReading = readingOf(whole);
    fc.assert(
      fc.property(valuesOf(whole), fc.nat(), fc.nat(255), (value, at, byte) => {
        const bytes = whole.toBuffer(value);
        bytes[at % bytes.length] = byte;
        expect(read(reading, bytes) === BAD).toBe(read(wholeReading, bytes) === BAD);
      }),
      { numRuns: 300 },
    );
  });
});

test('a type whose first use is left out is defined where it is kept', () => {
  const band = { type: 'enum', name: 'Band', symbols: ['LOW', 'HIGH'] } as const;
  const schema: RecordSchema = {
    type: 'record',
    name: 'R',
    fields: [
      { name: 'first', type: band },
      { name: 'second', type: ['null', 'Band'] },
    ],
  };
  expect(projectSchema(schema, { second: true }).fields).toEqual([{ name: 'second', type: ['null', band] }]);
});

test('a record inside itself is left to the library', () => {
  const tree = { type: 'record', name: 'Tree', fields: [{ name: 'branches', type: { type: 'array', items: 'Tree' } }] };
  const type = avro.Type.forSchema(tree as avro.Schema);
  expect(compileRead(type, type)).toBeNull();
});
