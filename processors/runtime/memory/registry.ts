import { readingFaults } from '../../../schemas/compatibility.ts';
import type { AvroSchema } from '../../../schemas/records.ts';
import type { CompatibilityPolicy, RegisteredSchema, SchemaRegistry } from '../../../schemas/registry.ts';
import { PipelineError } from '../../core/errors.ts';

interface Subject {
  policy: CompatibilityPolicy;
  /** Schema ids; the version is the place, from 1. */
  readonly versions: number[];
}

/** A schema registry that lives as long as the process. Ids count from 1; the same text has the same id under every subject. */
export function createMemoryRegistry(): SchemaRegistry {
  const texts: string[] = [];
  const subjects = new Map<string, Subject>();

  const placeOf = (subject: string, text: string): RegisteredSchema | null => {
    const id = texts.indexOf(text) + 1;
    const version = (subjects.get(subject)?.versions.indexOf(id) ?? -1) + 1;
    return id > 0 && version > 0 ? { id, version } : null;
  };

  // Each method waits once, like a request, so that no caller comes to rely on an answer in the same turn.
  return {
    async schemaById(id) {
      await Promise.resolve();
      return texts[id - 1] ?? null;
    },

    async latest(subject) {
      await Promise.resolve();
      const versions = subjects.get(subject)?.versions ?? [];
      const id = versions.at(-1);
      return id === undefined ? null : { id, version: versions.length };
    },

    async find(subject, schema) {
      await Promise.resolve();
      return placeOf(subject, canonical(schema));
    },

    async register(subject, schema, policy) {
      await Promise.resolve();
      const text = canonical(schema);
      const { versions } = remember(subjects, subject, policy);
      const known = placeOf(subject, text);
      if (known !== null) return known;
      for (const id of versions) refuseIncompatible(subject, policy, texts[id - 1] ?? '', text);
      if (!texts.includes(text)) texts.push(text);
      versions.push(texts.indexOf(text) + 1);
      return { id: texts.indexOf(text) + 1, version: versions.length };
    },

    close: () => Promise.resolve(),
  };
}

function remember(subjects: Map<string, Subject>, name: string, policy: CompatibilityPolicy): Subject {
  const known = subjects.get(name) ?? { policy, versions: [] };
  known.policy = policy;
  subjects.set(name, known);
  return known;
}

function canonical(schema: string): string {
  try {
    return JSON.stringify(JSON.parse(schema));
  } catch (cause) {
    throw new PipelineError('schema_incompatible', 'the registry refuses what is not JSON', {
      retriable: false,
      cause,
    });
  }
}

function refuseIncompatible(subject: string, policy: CompatibilityPolicy, older: string, newer: string): void {
  const [old, now] = [JSON.parse(older) as AvroSchema, JSON.parse(newer) as AvroSchema];
  const faults = readingFaults(now, old);
  if (policy === 'FULL_TRANSITIVE') faults.push(...readingFaults(old, now));
  const [first] = faults;
  if (first === undefined) return;
  throw new PipelineError('schema_incompatible', `${subject}: ${first.field}: ${first.reason}`, { retriable: false });
}
