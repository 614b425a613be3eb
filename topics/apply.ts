import { PipelineError } from '../processors/core/errors.ts';
import type { Topic } from './catalog.ts';
import {
  planTopics,
  type ClusterState,
  type PlanOptions,
  type TopicConfiguration,
  type TopicCreation,
  type TopicPlan,
} from './plan.ts';

/** What provisioning needs of the cluster. Topics by their whole name. */
export interface TopicAdmin {
  /** Topics that do not exist are left out. */
  state(topics: readonly string[]): Promise<ClusterState>;
  /** Resolves once every partition has a leader. A topic that somebody else creates meanwhile is no error. */
  create(topics: readonly TopicCreation[]): Promise<void>;
  /** Replaces *all* overrides of the topic. */
  replaceOverrides(topic: string, overrides: Readonly<Record<string, string>>): Promise<void>;
}

/** What would change. */
export async function planOf(admin: TopicAdmin, topics: readonly Topic[], options: PlanOptions): Promise<TopicPlan> {
  return planTopics(topics, await admin.state(topics.map(({ name }) => options.prefix + name)), options);
}

/** Carries the plan out and answers what was done. With a refusal in the plan nothing is touched. Harmless when repeated. */
export async function applyTopics(
  admin: TopicAdmin,
  topics: readonly Topic[],
  options: PlanOptions,
): Promise<TopicPlan & { readonly applied: boolean }> {
  const plan = await planOf(admin, topics, options);
  if (plan.refusals.length > 0) return { ...plan, applied: false };
  const creations = plan.changes.filter((change) => change.kind === 'create');
  if (creations.length > 0) await admin.create(creations);
  for (const change of plan.changes) {
    if (change.kind === 'configure') await configure(admin, change);
  }
  return { ...plan, applied: true };
}

// The broker replaces the whole set of overrides: read it, change ours, write it, and read again, since somebody else may
// have written in between.
async function configure(admin: TopicAdmin, { topic, settings }: TopicConfiguration): Promise<void> {
  const overridesNow = async (): Promise<Readonly<Record<string, string>>> =>
    (await admin.state([topic])).topics.get(topic)?.overrides ?? {};
  const merged: Record<string, string> = { ...(await overridesNow()) };
  for (const { name, to } of settings) merged[name] = to;
  await admin.replaceOverrides(topic, merged);
  const after = await overridesNow();
  const lost = Object.keys(merged).filter((name) => after[name] !== merged[name]);
  if (lost.length > 0) {
    const message = `${topic}: ${lost.join(', ')} did not take effect; somebody else is changing it too, or the broker refuses`;
    throw new PipelineError('log_unavailable', message, { retriable: true });
  }
}
