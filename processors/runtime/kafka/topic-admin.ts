import kafkajs, { type Admin, type DescribeConfigResponse } from 'kafkajs';
import { PipelineError } from '../../core/errors.ts';
import type { TopicAdmin } from '../../../topics/apply.ts';
import type { ClusterState, TopicCreation, TopicState } from '../../../topics/plan.ts';
import type { KafkaAdmin } from './kafka-admin.ts';
import { brokerErrorType, toPipelineError } from './kafka-errors.ts';

const LEADERS_WITHIN_MS = 30_000;
const SETTINGS_WITHIN_MS = 5_000;
const LOOK_AGAIN_AFTER_MS = 50;

/** The cluster's topics, for topics/apply.ts. */
export class KafkaTopicAdmin implements TopicAdmin {
  readonly #admin: KafkaAdmin;

  constructor(admin: KafkaAdmin) {
    this.#admin = admin;
  }

  async state(topics: readonly string[]): Promise<ClusterState> {
    return this.#ask('read the topics', async (admin) => {
      const existing = new Set(await admin.listTopics());
      const present = topics.filter((topic) => existing.has(topic));
      const { brokers } = await admin.describeCluster();
      if (present.length === 0) return { brokers: brokers.length, topics: new Map() };
      const metadata = await admin.fetchTopicMetadata({ topics: present });
      const configs = await admin.describeConfigs({
        includeSynonyms: false,
        resources: present.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
      });
      const states = metadata.topics.map(({ name, partitions }): [string, TopicState] => [
        name,
        {
          partitions: partitions.length,
          replication: partitions[0]?.replicas.length ?? 0,
          overrides: overridesOf(configs, name),
        },
      ]);
      return { brokers: brokers.length, topics: new Map(states) };
    });
  }

  /** Every setting of topics as it is in force, the cluster's defaults included; topics that do not exist are left out. */
  async settings(topics: readonly string[]): Promise<Map<string, ReadonlyMap<string, string>>> {
    return this.#ask('read settings of topics', async (admin) => {
      const existing = new Set(await admin.listTopics());
      const present = topics.filter((topic) => existing.has(topic));
      if (present.length === 0) return new Map<string, ReadonlyMap<string, string>>();
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: present.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
      });
      return new Map(
        resources.map(({ resourceName, configEntries }) => [
          resourceName,
          new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
        ]),
      );
    });
  }

  async create(topics: readonly TopicCreation[]): Promise<void> {
    await this.#ask('create topics', async (admin) => {
      try {
        await admin.createTopics({
          waitForLeaders: false,
          topics: topics.map(({ topic, partitions, replication, config }) => ({
            topic,
            numPartitions: partitions,
            replicationFactor: replication,
            configEntries: entriesOf(config),
          })),
        });
      } catch (error) {
        throw firstOf(error);
      }
      await waitForLeaders(admin, topics);
    });
  }

  /** A broker shows the new settings a moment after the controller took them: waits for that, for a while. */
  async replaceOverrides(topic: string, overrides: Readonly<Record<string, string>>): Promise<void> {
    await this.#ask('configure a topic', async (admin) => {
      const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries: entriesOf(overrides) };
      await admin.alterConfigs({ validateOnly: false, resources: [resource] });
    });
    await until(SETTINGS_WITHIN_MS, async () => {
      const seen = (await this.state([topic])).topics.get(topic)?.overrides ?? {};
      const names = new Set([...Object.keys(seen), ...Object.keys(overrides)]);
      return [...names].every((name) => seen[name] === overrides[name]);
    });
  }

  /** Deletes topics with everything in them. For tests and for taking a trial down. */
  async delete(topics: readonly string[]): Promise<void> {
    await this.#ask('delete topics', (admin) => admin.deleteTopics({ topics: [...topics] }));
  }

  async #ask<Answer>(action: string, question: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    try {
      return await question(await this.#admin.connected());
    } catch (error) {
      throw toPipelineError(action, error);
    }
  }
}

const entriesOf = (config: Readonly<Record<string, string>>): { name: string; value: string }[] =>
  Object.entries(config).map(([name, value]) => ({ name, value }));

function overridesOf(configs: DescribeConfigResponse, topic: string): Record<string, string> {
  const entries = configs.resources.find(({ resourceName }) => resourceName === topic)?.configEntries ?? [];
  return Object.fromEntries(
    entries
      .filter(({ configSource }) => configSource === kafkajs.ConfigSource.TOPIC_CONFIG)
      .map(({ configName, configValue }) => [configName, configValue]),
  );
}

/** kafkajs wraps what went wrong with several topics: the first is told, the others are most likely the same. */
function firstOf(error: unknown): unknown {
  if (!(error instanceof Error) || !('errors' in error) || !Array.isArray(error.errors)) return error;
  const [first] = error.errors as unknown[];
  return first ?? error;
}

// A broker answers a creation before all of them know the topic, let alone its leaders.
async function waitForLeaders(admin: Admin, topics: readonly TopicCreation[]): Promise<void> {
  if (await until(LEADERS_WITHIN_MS, () => haveLeaders(admin, topics))) return;
  const names = topics.map(({ topic }) => topic).join(', ');
  throw new PipelineError('log_unavailable', `no leader yet for ${names}`, { retriable: true });
}

/** Looks again and again until it is so; false when it took too long. */
async function until(withinMs: number, isSo: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) return false;
    await new Promise<void>((resolve) => void setTimeout(resolve, LOOK_AGAIN_AFTER_MS));
  }
  return true;
}

async function haveLeaders(admin: Admin, topics: readonly TopicCreation[]): Promise<boolean> {
  try {
    const metadata = await admin.fetchTopicMetadata({ topics: topics.map(({ topic }) => topic) });
    return metadata.topics.every(
      ({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0),
    );
  } catch (error) {
    if (brokerErrorType(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return false;
    throw error;
  }
}
