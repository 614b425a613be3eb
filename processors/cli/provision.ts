import { registerSchemas } from '../../schemas/register.ts';
import type { SchemaRegistry } from '../../schemas/registry.ts';
import { applyTopics } from '../../topics/apply.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { AS_IN_CATALOG } from '../../topics/plan.ts';
import { PipelineError } from '../core/errors.ts';
import type { Config } from '../runtime/config.ts';
import { kafkaSettings } from '../runtime/connect.ts';
import { KafkaAdmin } from '../runtime/kafka/kafka-admin.ts';
import { createKafkaClient } from '../runtime/kafka/kafka-client.ts';
import { KafkaTopicAdmin } from '../runtime/kafka/topic-admin.ts';
import type { Log } from '../runtime/ports.ts';

/**
 * Creates the topics and registers the schemas that are missing, for a stack that belongs to whoever starts this: with as
 * many replicas as there are brokers, up to the catalog's.
 */
export async function provision(
  config: Config,
  registry: SchemaRegistry,
  logger: Log,
  options: { readonly retentionMs: number | null },
): Promise<void> {
  if (config.services === null) return;
  await using stack = new AsyncDisposableStack();
  const admin = stack.adopt(new KafkaAdmin(createKafkaClient(kafkaSettings(config.services.kafka), logger)), (each) =>
    each.close(),
  );
  const topicAdmin = new KafkaTopicAdmin(admin);
  const { brokers } = await topicAdmin.state([]);
  const replication = Math.min(brokers, 3);
  const { retentionMs } = options;
  const plan = await applyTopics(topicAdmin, TOPICS, {
    ...AS_IN_CATALOG,
    prefix: config.prefix,
    replication,
    retentionMs,
  });
  if (!plan.applied) {
    const reasons = plan.refusals.map(({ topic, message }) => `${topic}: ${message}`).join('; ');
    throw new PipelineError('log_unavailable', `topics cannot be provisioned: ${reasons}`, { retriable: false });
  }
  await registerSchemas(registry, TOPICS, { prefix: config.prefix });
}
