import { deadLetterTopic, type Topic } from './catalog.ts';

/** `<stream>.v<major>`: lower case, hyphens inside the stream's name. */
const STREAM_NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*\.v[1-9][0-9]*$/;
/** `kizuna.<processor>.v<n>`. */
const GROUP_NAME = /^kizuna\.[a-z][a-z0-9]*(-[a-z0-9]+)*\.v[1-9][0-9]*$/;
const LONGEST_TOPIC_NAME = 249;

/** What the rest of the code knows: consumer groups of the processors and records of `schemas/`. */
export interface Known {
  readonly groups: ReadonlySet<string>;
  readonly schemas: ReadonlySet<string>;
}

/** Every fault of the rows as a sentence that names the row; empty when the catalog is sound. */
export function catalogFaults(topics: readonly Topic[], known: Known): string[] {
  const faults: string[] = [];
  const names = new Set<string>();
  for (const topic of topics) {
    const fault = (message: string): number => faults.push(`${topic.name}: ${message}`);
    if (names.has(topic.name)) fault('is listed twice');
    names.add(topic.name);
    if (topic.name.length > LONGEST_TOPIC_NAME) fault(`name is longer than ${LONGEST_TOPIC_NAME}`);
    if (topic.doc === '') fault('has no doc');
    for (const group of [...topic.writers, ...topic.readers]) {
      if (!GROUP_NAME.test(group)) fault(`${group} is not a group name kizuna.<processor>.v<n>`);
      if (!known.groups.has(group)) fault(`${group} is no processor's group`);
    }
    faults.push(...roleFaults(topic).map((message) => `${topic.name}: ${message}`));
    faults.push(...sizeFaults(topic).map((message) => `${topic.name}: ${message}`));
    if (topic.schema !== null && !known.schemas.has(topic.schema)) fault(`schemas/${topic.schema}.avsc does not exist`);
    if ((topic.schema === null) !== (topic.compatibility === null)) fault('schema and compatibility go together');
    for (const reader of topic.readers) {
      if (!topics.some((other) => other.name === deadLetterTopic(topic.name, reader))) {
        fault(`${reader} reads it, but ${deadLetterTopic(topic.name, reader)} is missing`);
      }
    }
  }
  return faults;
}

function roleFaults(topic: Topic): string[] {
  const faults: string[] = [];
  if (topic.role === 'dead-letter') {
    const writer = topic.writers[0];
    const source = writer === undefined ? '' : topic.name.slice(0, -deadLetterTopic('', writer).length);
    if (writer === undefined || topic.writers.length > 1)
      faults.push('a dead-letter topic belongs to exactly one group');
    else if (!STREAM_NAME.test(source) || topic.name !== deadLetterTopic(source, writer))
      faults.push('is not named <topic>.<group>.dlq');
    if (topic.schema !== null) faults.push('a dead letter keeps raw bytes, so it has no schema');
    return faults;
  }
  if (!STREAM_NAME.test(topic.name)) faults.push('is not named <stream>.v<major>');
  if (topic.schema === null) faults.push('has no schema');
  if (topic.role === 'input' && topic.writers.length > 0) faults.push('an input is written from outside only');
  if (topic.role !== 'input' && topic.writers.length === 0) faults.push('nobody writes it');
  if (topic.role === 'internal' && topic.readers.length === 0) faults.push('nobody reads it');
  if (topic.role === 'internal' && topic.retentionMs !== -1 && topic.cleanup === 'delete') {
    faults.push('an internal topic is purged behind its readers, never deleted by time');
  }
  if (topic.role === 'output' && topic.compatibility === 'BACKWARD_TRANSITIVE') {
    faults.push('an output needs FULL_TRANSITIVE: its readers are not ours to upgrade');
  }
  return faults;
}

function sizeFaults(topic: Topic): string[] {
  const faults: string[] = [];
  if (!Number.isInteger(topic.partitions) || topic.partitions < 1) faults.push('needs at least one partition');
  if (!Number.isInteger(topic.replication) || topic.replication < 1) faults.push('needs at least one replica');
  if (topic.minInsyncReplicas < 1 || topic.minInsyncReplicas > topic.replication)
    faults.push('minInsyncReplicas must be 1 to replication');
  if (topic.retentionMs !== -1 && topic.retentionMs <= 0) faults.push('retentionMs must be positive, or -1 for ever');
  if (topic.cleanup === 'compact' && topic.key === null) faults.push('a compacted topic needs a key');
  return faults;
}
