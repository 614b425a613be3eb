import { expect, test } from 'vitest';
import { createProcessors, PROCESSOR_NAMES } from '../../processors/catalog.ts';
import { definitionsWith } from '../harness/definition-sets.ts';

test('every processor of the catalog goes by its own name, upstream before downstream', () => {
  const processors = createProcessors(definitionsWith({}));
  expect(processors.map(({ name }) => name)).toEqual(PROCESSOR_NAMES);
  expect(PROCESSOR_NAMES.length).toBeGreaterThan(1);
  for (const [index, { outputs }] of processors.entries()) {
    const upstream = processors.slice(0, index).flatMap(({ inputs }) => inputs);
    expect(upstream.filter((topic) => outputs.includes(topic))).toEqual([]);
  }
});
