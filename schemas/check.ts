import { readingFaults } from './compatibility.ts';
import { isSameSchema, publishedVersions } from './history.ts';
import { isUnion, recordSchema } from './records.ts';
import type { AvroSchema, RecordSchema } from './records.ts';
import type { CompatibilityPolicy, SchemaTopic } from './registry.ts';

export interface SchemaFault {
  readonly record: string;
  /** The published version that is hurt; null when the current schema itself is at fault. */
  readonly version: number | null;
  /** Dots between records, `[]` for items; empty for the record itself. */
  readonly field: string;
  readonly reason: string;
}

export interface HistoryOptions {
  /** Instead of schemas/history: a folder with `<record>/<n>.avsc`. */
  readonly history?: URL;
  /** Instead of schemas/<record>.avsc. */
  readonly current?: (record: string) => RecordSchema;
}

/**
 * Holds the current schema of every topic against every published version, as the topic's policy demands: BACKWARD_TRANSITIVE,
 * ours reads all of them; FULL_TRANSITIVE, all of them also read ours. A schema that differs from its newest published version
 * without a new number, a number left out, and a record, enum or field without a doc are faults too.
 */
export function checkHistory(topics: readonly SchemaTopic[], options: HistoryOptions = {}): SchemaFault[] {
  const faults: SchemaFault[] = [];
  for (const [record, policy] of policies(topics)) {
    const current = (options.current ?? recordSchema)(record);
    const versions = publishedVersions(record, options.history);
    const fault = (version: number | null, field: string, reason: string): void =>
      void faults.push({ record, version, field, reason });

    for (const field of undocumented(current, '')) fault(null, field, 'it has no doc');
    for (const { version, schema } of versions) {
      for (const { field, reason } of readingFaults(current, schema))
        fault(version, field, `we cannot read it: ${reason}`);
      if (policy === 'FULL_TRANSITIVE') {
        for (const { field, reason } of readingFaults(schema, current))
          fault(version, field, `it cannot read us: ${reason}`);
      }
    }
    const newest = versions.at(-1);
    if (newest === undefined) fault(null, '', `it was never published: add history/${record}/1.avsc`);
    else if (!isSameSchema(newest.schema, current)) {
      fault(
        newest.version,
        '',
        `the current schema differs: publish it as history/${record}/${newest.version + 1}.avsc`,
      );
    }
    const numbers = new Set(versions.map(({ version }) => version));
    for (let number = 1; number < (newest?.version ?? 0); number++) {
      if (!numbers.has(number)) fault(number, '', 'this version is missing');
    }
  }
  return faults;
}

/** A record that travels on several topics must satisfy the strictest of them. */
function policies(topics: readonly SchemaTopic[]): Map<string, CompatibilityPolicy> {
  const strictest = new Map<string, CompatibilityPolicy>();
  for (const { schema, compatibility } of topics) {
    if (schema === null || compatibility === null) continue;
    if (strictest.get(schema) !== 'FULL_TRANSITIVE') strictest.set(schema, compatibility);
  }
  return strictest;
}

function undocumented(schema: AvroSchema, at: string): string[] {
  if (typeof schema === 'string') return [];
  if (isUnion(schema)) return schema.flatMap((branch) => undocumented(branch, at));
  const here = 'name' in schema && !schema.doc ? [at] : [];
  switch (schema.type) {
    case 'record':
      return here.concat(
        schema.fields.flatMap((field) => {
          const name = at === '' ? field.name : `${at}.${field.name}`;
          return [...(field.doc ? [] : [name]), ...undocumented(field.type, name)];
        }),
      );
    case 'array':
      return undocumented(schema.items, `${at}[]`);
    case 'map':
      return undocumented(schema.values, `${at}{}`);
    default:
      return here;
  }
}
