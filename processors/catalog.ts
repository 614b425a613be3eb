import { topicOf, TOPICS } from '../topics/catalog.ts';
import { createBrand } from './brand/processor.ts';
import type { Definitions } from './core/definitions.ts';
import type { Processor } from './core/processor.ts';
import { createCustomer } from './customer/processor.ts';
import { createExperiment } from './experiment/processor.ts';
import { createIntake } from './intake/processor.ts';
import type { TopicDirectory } from './runtime/pipeline-ports.ts';
import { createTouchpoint } from './touchpoint/processor.ts';

/** Every processor by its name, upstream first. A new one is a folder and a line here. */
const CREATORS: Readonly<Record<string, (definitions: Definitions) => Processor>> = {
  intake: createIntake,
  customer: createCustomer,
  touchpoint: createTouchpoint,
  brand: createBrand,
  experiment: createExperiment,
};

/** The names that `kizuna run` takes. */
export const PROCESSOR_NAMES: readonly string[] = Object.keys(CREATORS);

export function createProcessors(definitions: Definitions): readonly Processor[] {
  return Object.values(CREATORS).map((create) => create(definitions));
}

export const topicDirectory: TopicDirectory = {
  writers: (topic) => topicOf(topic).writers,
  deadLetterTopic: (topic, group) => topicOf(`${topic}.${group}.dlq`).name,
  purgedBehind: (topic) => {
    const { role, cleanup, readers } = topicOf(topic);
    return role === 'internal' && cleanup === 'delete' ? readers : [];
  },
};

/** The topics whose records a set of processors writes: their schemas must be known before the first. */
export function encodedTopics(processors: readonly Processor[]): string[] {
  const written = new Set(processors.flatMap((processor) => processor.outputs));
  return TOPICS.filter((topic) => topic.schema !== null && written.has(topic.name)).map((topic) => topic.name);
}
