import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { RecordSchema } from './records.ts';

const HISTORY = new URL('./history/', import.meta.url);

/** A version that was published once: others may have written with it, so it is never edited. */
export interface PublishedVersion {
  readonly version: number;
  readonly schema: RecordSchema;
}

/** Every published version of a record, oldest first. */
export function publishedVersions(record: string, history: URL = HISTORY): PublishedVersion[] {
  const folder = new URL(`${record}/`, history);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => /^\d+\.avsc$/.test(file))
    .map((file) => ({
      version: Number.parseInt(file, 10),
      schema: JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as RecordSchema,
    }))
    .sort((left, right) => left.version - right.version);
}

/** The newest published version; null when the record was never published. */
export function newestVersion(record: string, history: URL = HISTORY): PublishedVersion | null {
  return publishedVersions(record, history).at(-1) ?? null;
}

/**
 * Whether a schema says what a published version says. A namespace is not compared: all of ours are the same one, and it is
 * written or inherited depending on which file a name stands in.
 */
export function isSameSchema(published: RecordSchema, current: RecordSchema): boolean {
  return withoutNamespaces(published) === withoutNamespaces(current);
}

function withoutNamespaces(schema: RecordSchema): string {
  return JSON.stringify(schema, (key, value: unknown) => (key === 'namespace' ? undefined : value));
}
