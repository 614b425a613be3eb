import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import avro from 'avsc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkHistory } from '../../schemas/check.ts';
import { readingFaults } from '../../schemas/compatibility.ts';
import type { AvroSchema, EnumSchema, FieldSchema, RecordSchema } from '../../schemas/records.ts';
import type { CompatibilityPolicy } from '../../schemas/registry.ts';

const record = (...fields: FieldSchema[]): RecordSchema => ({
  type: 'record',
  name: 'Parcel',
  doc: 'A parcel.',
  fields,
});
const ID: FieldSchema = { name: 'id', type: 'string', doc: 'Its name.' };
const WEIGHT: FieldSchema = { name: 'weight', type: 'long', doc: 'Grams.' };
const OPTIONAL: FieldSchema = { ...WEIGHT, type: ['null', 'long'], default: null };
const colour = (...symbols: string[]): EnumSchema => ({ type: 'enum', name: 'Colour', doc: 'A colour.', symbols });
const colours = (type: EnumSchema): FieldSchema => ({ name: 'colour', type, doc: 'Its colour.' });
const inner = (...fields: FieldSchema[]): FieldSchema => ({
  name: 'lines',
  type: { type: 'array', items: { type: 'record', name: 'Line', doc: 'A line.', fields } },
  doc: 'Its lines.',
});

describe('a reader', () => {
  it.each<[string, AvroSchema, AvroSchema, string[]]>([
    ['of the same schema', record(ID, OPTIONAL), record(ID, OPTIONAL), []],
    ['with a new field that has a default', record(ID, OPTIONAL), record(ID), []],
    ['with a new field without', record(ID, WEIGHT), record(ID), ['weight']],
    ['without a field', record(ID), record(ID, WEIGHT), []],
    ['of a widened field', record({ ...WEIGHT, type: 'double' }), record(WEIGHT), []],
    ['of a narrowed field', record({ ...WEIGHT, type: 'int' }), record(WEIGHT), ['weight']],
    ['of a field that became nullable', record(OPTIONAL), record(WEIGHT), []],
    ['of a field that is nullable no more', record(WEIGHT), record(OPTIONAL), ['weight']],
    ['of text as bytes', 'bytes', 'string', []],
    ['of text as a number', record({ ...ID, type: 'long' }), record(ID), ['id']],
    ['of another record', { ...record(ID), name: 'Letter' }, record(ID), ['']],
    ['of the record in another namespace', { ...record(ID), namespace: 'a.b' }, record(ID), []],
    ['of an enum with more symbols', record(colours(colour('A', 'B'))), record(colours(colour('A'))), []],
    ['of an enum with fewer', record(colours(colour('A'))), record(colours(colour('A', 'B'))), ['colour']],
    [
      'of an enum with fewer and a default',
      record(colours({ ...colour('A'), default: 'A' })),
      record(colours(colour('A', 'B'))),
      [],
    ],
    ['of a renamed enum', record(colours({ ...colour('A'), name: 'Shade' })), record(colours(colour('A'))), ['colour']],
    ['of a changed record inside', record(inner(ID, WEIGHT)), record(inner(ID)), ['lines[].weight']],
    ['of a map of another type', { type: 'map', values: 'int' }, { type: 'map', values: 'string' }, ['{}']],
    ['of a fixed of another size', { type: 'fixed', name: 'F', size: 2 }, { type: 'fixed', name: 'F', size: 3 }, ['']],
    ['of a branch that is gone', ['null', 'long'], ['null', 'string'], ['']],
    [
      'of a type named before it is used again',
      record(colours(colour('A', 'B')), { name: 'second', type: 'Colour', doc: 'Another.' }),
      record({ name: 'second', type: colour('A'), doc: 'Another.' }, { name: 'colour', type: 'Colour', doc: 'One.' }),
      [],
    ],
    ['of an alias', record({ ...ID, name: 'parcelId', aliases: ['id'] }), record(ID), []],
  ])('%s reads what the Avro library would', (_name, reader, writer, fields) => {
    expect(readingFaults(reader, writer).map(({ field }) => field)).toEqual(fields);
    const type = (schema: AvroSchema): avro.Type => avro.Type.forSchema(structuredClone(schema) as avro.Schema);
    const resolve = (): unknown => type(reader).createResolver(type(writer), { ignoreNamespaces: true });
    if (fields.length === 0) expect(resolve).not.toThrow();
    else expect(resolve).toThrow();
  });
});

describe('the history of a record', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'kizuna-history-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const check = (
    policy: CompatibilityPolicy,
    current: RecordSchema,
    versions: Record<number, RecordSchema>,
  ): string[] => {
    mkdirSync(join(folder, 'Parcel'), { recursive: true });
    for (const [version, schema] of Object.entries(versions)) {
      writeFileSync(join(folder, 'Parcel', `${version}.avsc`), JSON.stringify(schema));
    }
    const topics = [
      { name: 'parcels.v1', schema: 'Parcel', compatibility: policy },
      { name: 'parcels.v1.dlq', schema: null, compatibility: null },
    ];
    const history = pathToFileURL(`${folder}/`);
    return checkHistory(topics, { history, current: () => current }).map(
      ({ record: name, version, field, reason }) => `${name} ${String(version)} ${field}: ${reason}`,
    );
  };

  it('is in order when every version can be read', () => {
    expect(check('FULL_TRANSITIVE', record(ID, OPTIONAL), { 1: record(ID), 2: record(ID, OPTIONAL) })).toEqual([]);
  });

  it('must begin somewhere', () => {
    expect(check('FULL_TRANSITIVE', record(ID), {})).toEqual([
      'Parcel null : it was never published: add history/Parcel/1.avsc',
    ]);
  });

  it('names an old version that we cannot read, however old', () => {
    const now = record(ID, WEIGHT);
    const faults = check('BACKWARD_TRANSITIVE', now, { 1: record(ID), 2: record(ID, OPTIONAL), 3: now });
    expect(faults).toEqual([
      'Parcel 1 weight: we cannot read it: it has no default, and the writer does not write it',
      'Parcel 2 weight: we cannot read it: null cannot be read as long',
    ]);
  });

  it('counts old readers only where the policy is full', () => {
    const versions = { 1: record(ID, WEIGHT), 2: record(ID) };
    expect(check('BACKWARD_TRANSITIVE', record(ID), versions)).toEqual([]);
    expect(check('FULL_TRANSITIVE', record(ID), versions)).toEqual([
      'Parcel 1 weight: it cannot read us: it has no default, and the writer does not write it',
    ]);
  });

  it('must hold the current schema, docs included', () => {
    expect(check('FULL_TRANSITIVE', record({ ...ID, doc: 'Other words.' }), { 1: record(ID) })).toEqual([
      'Parcel 1 : the current schema differs: publish it as history/Parcel/2.avsc',
    ]);
  });

  it('misses no number', () => {
    expect(check('FULL_TRANSITIVE', record(ID), { 1: record(ID), 3: record(ID) })).toEqual([
      'Parcel 2 : this version is missing',
    ]);
    rmSync(join(folder, 'Parcel'), { recursive: true });
    expect(check('FULL_TRANSITIVE', record(ID), { 2: record(ID) })).toEqual(['Parcel 1 : this version is missing']);
  });

  it('is documented to the last field', () => {
    const bare = { type: 'record', name: 'Line', fields: [{ name: 'what', type: 'string' }] } as const;
    const now = { ...record(ID, { name: 'lines', type: { type: 'array', items: bare } }), doc: '' };
    expect(check('FULL_TRANSITIVE', now, { 1: now })).toEqual([
      'Parcel null : it has no doc',
      'Parcel null lines: it has no doc',
      'Parcel null lines[]: it has no doc',
      'Parcel null lines[].what: it has no doc',
    ]);
  });
});
