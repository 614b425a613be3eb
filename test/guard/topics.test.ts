import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createProcessors } from '../../processors/catalog.ts';
import type { Processor } from '../../processors/core/processor.ts';
import { loadDefinitions, shippedDefinitions } from '../../processors/definitions/load.ts';
import { groupName } from '../../processors/runtime/pipeline-ports.ts';
import { deadLetterTopic, TOPICS, type Topic } from '../../topics/catalog.ts';
import { catalogFaults } from '../../topics/validate.ts';
import { ROOT } from './repository.ts';

const SCHEMAS = new Set(
  readdirSync(join(ROOT, 'schemas'))
    .filter((file) => file.endsWith('.avsc'))
    .map((file) => basename(file, '.avsc')),
);

let processors: readonly Processor[];
beforeAll(async () => {
  processors = createProcessors(await loadDefinitions(shippedDefinitions));
});

const groupsWhose = (holds: (processor: Processor) => boolean): string[] =>
  processors.filter(holds).map(groupName).toSorted();

describe('topics', () => {
  it('the catalog is sound, and knows only existing schemas and groups', () => {
    const groups = new Set(processors.map(groupName));
    expect(catalogFaults(TOPICS, { groups, schemas: SCHEMAS })).toEqual([]);
  });

  it.each(TOPICS.map((topic: Topic) => [topic.name, topic] as const))('%s: readers and writers', (name, topic) => {
    expect([...topic.readers].toSorted()).toEqual(groupsWhose(({ inputs }) => inputs.includes(name)));
    const refuses = (processor: Processor): boolean =>
      processor.inputs.some((input) => deadLetterTopic(input, groupName(processor)) === name);
    expect([...topic.writers].toSorted()).toEqual(
      groupsWhose((processor) => processor.outputs.includes(name) || refuses(processor)),
    );
  });

  it('every topic of a processor is in the catalog', () => {
    const listed = new Set<string>(TOPICS.map(({ name }) => name));
    const used = processors.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]);
    expect(used.filter((name) => !listed.has(name))).toEqual([]);
  });
});
