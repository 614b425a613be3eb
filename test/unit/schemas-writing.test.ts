import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { ByteWriter } from '../../processors/core/packing.ts';
import { compileWrite, type Origin, type Write } from '../../schemas/writing.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { typeOf, valuesOf } from '../harness/avro-values.ts';
import { interaction } from './schemas-samples.ts';

const RECORDS = [...new Set(TOPICS.flatMap(({ schema }) => schema ?? []))];

function writingOf(record: string, origin: Origin | null = null): Write {
  const write = compileWrite(typeOf(record), origin);
  if (write === null) throw new Error('it should be written here');
  return write;
}

function written(write: Write, value: unknown): Buffer {
  const writer = new ByteWriter(16);
  write(value, writer);
  return writer.copy();
}

describe.each(RECORDS)('%s', (record) => {
  const type = typeOf(record);
  const write = writingOf(record);

  it('is written as the library writes it', () => {
    fc.assert(
      fc.property(valuesOf(type), (value) => {
        expect(written(write, value)).toEqual(type.toBuffer(value));
      }),
      { numRuns: 60 },
    );
  });
});

describe('a value that does not fit', () => {
  const write = writingOf('Interaction');
  const without = (name: string): object =>
    Object.fromEntries(Object.entries(interaction()).filter(([field]) => field !== name));

  it.each<[string, object]>([
    ['a field is missing', without('eventId')],
    ['a text is a number', { ...interaction(), eventId: 1 }],
    ['a whole number is none', { ...interaction(), occurredAt: 1.5 }],
    ['an enum has no such symbol', { ...interaction(), type: 'NOTHING' }],
    ['a union has no such branch', { ...interaction(), text: 1 }],
    ['a map is an array', { ...interaction(), attributes: [] }],
    ['a flag is a text', { ...interaction(), machineGenerated: 'yes' }],
  ])('throws: %s', (_name, value) => {
    expect(() => written(write, value)).toThrow(TypeError);
    expect(() => typeOf('Interaction').toBuffer(value)).toThrow();
  });

  it('throws when a number is larger than is read again', () => {
    expect(() => written(write, { ...interaction(), occurredAt: 2 ** 52 })).toThrow(TypeError);
  });

  it('is completed by defaults, as the library does', () => {
    const value = without('machineGenerated');
    expect(written(write, value)).toEqual(typeOf('Interaction').toBuffer(value));
  });
});

test('a record that was just read is written as the bytes it came as, and any other from its fields', () => {
  const value = interaction();
  const event = { brandId: 'demo', subject: 'u:u1', kind: 'INTERACTION', interaction: value };
  // Not what the value says: so it shows where the bytes came from.
  const bytes = typeOf('Interaction').toBuffer(interaction({ eventId: 'other' }));
  const origin: Origin = { value, bytes: Buffer.concat([Buffer.of(9), bytes]), start: 1, end: 1 + bytes.length };
  const write = writingOf('CustomerEvent', origin);
  const type = typeOf('CustomerEvent');
  expect(written(write, event)).toEqual(type.toBuffer({ ...event, interaction: interaction({ eventId: 'other' }) }));
  expect(written(write, { ...event, interaction: { ...value } })).toEqual(type.toBuffer(event));
});
