import { describe, expect, it } from 'vitest';
import { compileWalk } from '../../schemas/bounds.ts';
import type { AvroSchema } from '../../schemas/records.ts';

const walk = (schema: AvroSchema, hex: string): number => compileWalk(schema, schema)(Buffer.from(hex, 'hex'), 0);
const LONGS: AvroSchema = { type: 'array', items: 'long' };
const TREE: AvroSchema = {
  type: 'record',
  name: 'Tree',
  fields: [{ name: 'branches', type: { type: 'array', items: 'Tree' } }],
};

describe('a walk over a value', () => {
  it.each<[string, AvroSchema, string, number]>([
    ['null', 'null', '', 0],
    ['a boolean', 'boolean', '01', 1],
    ['an int', 'int', 'feffffff0f', 5],
    ['a long', 'long', '8001', 2],
    ['a float', 'float', '00000000', 4],
    ['a double', 'double', '0000000000000000', 8],
    ['a string', 'string', '046162', 3],
    ['bytes', 'bytes', '0200', 2],
    ['a fixed', { type: 'fixed', name: 'F', size: 3 }, '000000', 3],
    ['an enum', { type: 'enum', name: 'E', symbols: ['A', 'B'] }, '02', 1],
    ['a union', ['null', 'string'], '02024161', 3],
    ['an array in two blocks, one with its size', LONGS, '0402040304080a00', 8],
    ['a map', { type: 'map', values: 'int' }, '0202610a00', 5],
    ['a record inside itself', TREE, '020000', 3],
  ])('ends behind %s', (_name, schema, hex, end) => {
    expect(walk(schema, hex)).toBe(end);
  });

  it.each<[string, AvroSchema, string]>([
    ['a boolean that is neither', 'boolean', '02'],
    ['an int of 33 bits', 'int', '8080808020'],
    ['a varint that ends early', 'long', '80'],
    ['a varint of eleven bytes', 'long', '8080808080808080808001'],
    ['a string longer than the bytes', 'string', '0a61'],
    ['a string of negative length', 'string', '01'],
    ['a double that ends early', 'double', '00000000000000'],
    ['a fixed that ends early', { type: 'fixed', name: 'F', size: 3 }, '0000'],
    ['an enum beyond its symbols', { type: 'enum', name: 'E', symbols: ['A', 'B'] }, '04'],
    ['a negative enum', { type: 'enum', name: 'E', symbols: ['A', 'B'] }, '01'],
    ['a union beyond its branches', ['null', 'string'], '04'],
    ['a union without its index', ['null', 'string'], ''],
    ['an array of a thousand million in four bytes', LONGS, 'fcd6e4f807'],
    ['an array of nulls without end', { type: 'array', items: 'null' }, 'fcd6e4f807'],
    ['an array without its end', LONGS, '0202'],
    ['a block whose size says more than it holds', LONGS, '01060200'],
    ['a block whose size goes back', LONGS, '01050200'],
    ['a map without a value', { type: 'map', values: 'int' }, '020261'],
  ])('refuses %s', (_name, schema, hex) => {
    expect(walk(schema, hex)).toBe(-1);
  });

  it('lets a number that nobody reads be of any size', () => {
    const writer: AvroSchema = {
      type: 'record',
      name: 'R',
      fields: [
        { name: 'hash', type: 'long' },
        { name: 'kept', type: 'long' },
      ],
    };
    const reader: AvroSchema = { type: 'record', name: 'R', fields: [{ name: 'kept', type: 'long' }] };
    const large = 'ffffffffffffffffff01';
    const walkBoth = compileWalk(writer, reader);
    expect(walkBoth(Buffer.from(`${large}02`, 'hex'), 0)).toBe(11);
    expect(walkBoth(Buffer.from(`02${large}`, 'hex'), 0)).toBe(-1);
  });
});
