import { recordSchema } from './records.ts';
import { valueSubject } from './registry.ts';
import type { SchemaRegistry, SchemaTopic } from './registry.ts';

export interface Registration {
  readonly subject: string;
  /** null in a dry run, for a schema that the registry does not hold yet. */
  readonly id: number | null;
  readonly version: number | null;
  /** The registry did not hold the schema before (in a dry run: does not hold it). */
  readonly changed: boolean;
}

/**
 * Registers the current schema of every topic under `<prefix><topic>-value`, with the topic's policy set before the first
 * version. Repeating it changes nothing. Rejects with `schema_incompatible` at the first schema that is refused.
 */
export async function registerSchemas(
  registry: SchemaRegistry,
  topics: readonly SchemaTopic[],
  { prefix = '', dryRun = false }: { readonly prefix?: string; readonly dryRun?: boolean } = {},
): Promise<Registration[]> {
  const done: Registration[] = [];
  for (const { name, schema, compatibility } of topics) {
    if (schema === null || compatibility === null) continue;
    const subject = valueSubject(name, prefix);
    const text = JSON.stringify(recordSchema(schema));
    const before = await registry.find(subject, text);
    // Also when nothing changed: the policy may have.
    const after = dryRun ? before : await registry.register(subject, text, compatibility);
    done.push({ subject, id: after?.id ?? null, version: after?.version ?? null, changed: before === null });
  }
  return done;
}
