/** How a subject's schemas may follow one another; each version is held against every earlier one. */
export type CompatibilityPolicy = 'BACKWARD_TRANSITIVE' | 'FULL_TRANSITIVE';

export interface RegisteredSchema {
  readonly id: number;
  readonly version: number;
}

/**
 * A Confluent schema registry. Every method rejects with a PipelineError: `registry_unavailable` when it did not answer or
 * answered what a registry does not (retriable, but for refused credentials), `schema_incompatible` when it refuses a schema.
 */
export interface SchemaRegistry {
  /** The schema with this id as JSON text, of whatever kind; null when the answer is that there is none, or none that is valid. */
  schemaById(id: number): Promise<string | null>;
  /** The newest version of a subject; null when the subject does not exist. */
  latest(subject: string): Promise<RegisteredSchema | null>;
  /** The version of the subject that is exactly this schema; null when there is none. */
  find(subject: string, schema: string): Promise<RegisteredSchema | null>;
  /**
   * Makes `policy` the subject's policy, before its first version exists, then adds the schema as its newest version.
   * A schema that the subject already has keeps its id and version.
   */
  register(subject: string, schema: string, policy: CompatibilityPolicy): Promise<RegisteredSchema>;
  close(): Promise<void>;
}

/** What the schemas need to know of a topic: a row of topics/catalog.ts. */
export interface SchemaTopic {
  readonly name: string;
  /** The record in `schemas/<name>.avsc`; null: raw bytes. */
  readonly schema: string | null;
  readonly compatibility: CompatibilityPolicy | null;
}

/** The subject under which a topic's values are registered. `prefix` stands before the topic's name, as on the broker. */
export function valueSubject(topic: string, prefix = ''): string {
  return `${prefix}${topic}-value`;
}
