import { describe, expect, it } from 'vitest';
import { applyTopics, planOf, type TopicAdmin } from '../../topics/apply.ts';
import { TOPICS, topicOf, type Topic } from '../../topics/catalog.ts';
import {
  AS_IN_CATALOG,
  planTopics,
  type ClusterState,
  type PlanOptions,
  type TopicCreation,
  type TopicState,
} from '../../topics/plan.ts';

const INTERACTIONS = topicOf('interactions.v1');
const EVENTS = topicOf('customer-events.v1');
const TRAITS = topicOf('customer-traits.v1');

/** A cluster in memory, as strict as a broker: overrides are replaced as a whole. */
class Cluster implements TopicAdmin {
  readonly topics = new Map<string, TopicState>();
  readonly calls: string[] = [];
  brokers = 3;
  /** Stands for somebody else who changes things between our write and our second read. */
  afterWrite: (topic: string) => void = () => undefined;

  state(topics: readonly string[]): Promise<ClusterState> {
    const present = [...this.topics].filter(([name]) => topics.includes(name));
    return Promise.resolve({ brokers: this.brokers, topics: new Map(present) });
  }

  create(topics: readonly TopicCreation[]): Promise<void> {
    for (const { topic, partitions, replication, config } of topics) {
      this.calls.push(`create ${topic}`);
      this.topics.set(topic, { partitions, replication, overrides: { ...config } });
    }
    return Promise.resolve();
  }

  replaceOverrides(topic: string, overrides: Readonly<Record<string, string>>): Promise<void> {
    this.calls.push(`configure ${topic}`);
    this.override(topic, overrides);
    this.afterWrite(topic);
    return Promise.resolve();
  }

  override(topic: string, overrides: Readonly<Record<string, string>>): void {
    const state = this.topics.get(topic);
    if (state === undefined) throw new Error(`no ${topic}`);
    this.topics.set(topic, { ...state, overrides });
  }

  overrides(topic: string): Readonly<Record<string, string>> {
    return this.topics.get(topic)?.overrides ?? {};
  }
}

async function provisioned(topics: readonly Topic[], options: PlanOptions = AS_IN_CATALOG): Promise<Cluster> {
  const cluster = new Cluster();
  await applyTopics(cluster, topics, options);
  cluster.calls.length = 0;
  return cluster;
}

describe('topics plan', () => {
  it('creates every topic of the catalog as its row says', () => {
    const { changes, refusals, extras } = planTopics(TOPICS, { brokers: 3, topics: new Map() }, AS_IN_CATALOG);
    expect(changes.map(({ topic }) => topic)).toEqual(TOPICS.map(({ name }) => name));
    expect(changes[0]).toEqual({
      kind: 'create',
      topic: 'interactions.v1',
      partitions: 12,
      replication: 3,
      config: {
        'cleanup.policy': 'delete',
        'retention.ms': '2419200000',
        'max.message.bytes': '6291456',
        'min.insync.replicas': '2',
        'compression.type': 'producer',
      },
    });
    expect(refusals).toEqual([]);
    expect(extras).toEqual([]);
  });

  it('puts the prefix before every name and takes other numbers', () => {
    const options = { prefix: 'trial.', partitions: 4, replication: 1, retentionMs: -1 };
    const { changes, warnings } = planTopics(TOPICS, { brokers: 1, topics: new Map() }, options);
    const creation = (name: string) => changes.find(({ topic }) => topic === `trial.${name}`);
    expect(creation('interactions.v1')).toMatchObject({
      partitions: 4,
      replication: 1,
      config: { 'retention.ms': '-1', 'min.insync.replicas': '1' },
    });
    expect(creation('interactions.v1.kizuna.intake.v1.dlq')).toMatchObject({ partitions: 3, replication: 1 });
    expect(creation('customer-traits.v1')).toMatchObject({
      config: { 'cleanup.policy': 'compact', 'max.compaction.lag.ms': '604800000' },
    });
    expect(warnings).toEqual([]);
  });

  it('leaves one replica free to be away: min.insync.replicas is at most replication − 1', () => {
    const insync = (replication: number): unknown => {
      const options = { ...AS_IN_CATALOG, replication };
      const [change] = planTopics([EVENTS], { brokers: 5, topics: new Map() }, options).changes;
      return change?.kind === 'create' ? change.config['min.insync.replicas'] : undefined;
    };
    expect([1, 2, 3, 5].map(insync)).toEqual(['1', '1', '2', '2']);
  });

  it('refuses more replicas than there are brokers', () => {
    const { refusals } = planTopics([EVENTS], { brokers: 1, topics: new Map() }, AS_IN_CATALOG);
    expect(refusals).toEqual([
      { topic: 'customer-events.v1', about: 'replication', message: 'replication 3 needs as many brokers, there is 1' },
    ]);
  });

  it('refuses another number of partitions and says why', async () => {
    const cluster = await provisioned([EVENTS]);
    const { refusals } = await planOf(cluster, [EVENTS], { ...AS_IN_CATALOG, partitions: 24 });
    expect(refusals).toHaveLength(1);
    expect(refusals[0]?.message).toMatch(/has 12 partitions instead of 24: .*away from their state.*next version/);
  });

  it('warns of a retention that eats history, for timed topics that are not kept for ever', () => {
    const warned = (retentionMs: number | null): string[] =>
      planTopics(TOPICS, { brokers: 3, topics: new Map() }, { ...AS_IN_CATALOG, retentionMs }).warnings.map(
        ({ topic }) => topic,
      );
    expect(warned(null)).toEqual([
      'interactions.v1',
      'commands.v1',
      'segment-memberships.v1',
      'journey-stages.v1',
      'triggers.v1',
      'touchpoint-alerts.v1',
    ]);
    expect(warned(-1)).toEqual([]);
  });

  it('warns when a shorter retention will delete what is there', async () => {
    const cluster = await provisioned([INTERACTIONS], { ...AS_IN_CATALOG, retentionMs: -1 });
    const { warnings } = await planOf(cluster, [INTERACTIONS], AS_IN_CATALOG);
    expect(warnings.map(({ message }) => message)).toContain(
      'kept its records for ever: those older than 28 d will be deleted',
    );
    const longer = await planOf(await provisioned([INTERACTIONS]), [INTERACTIONS], {
      ...AS_IN_CATALOG,
      retentionMs: -1,
    });
    expect(longer.warnings).toEqual([]);
  });

  it('warns of everything but the purge that deletes from an internal topic', async () => {
    const warned = async (overrides: Readonly<Record<string, string>>): Promise<string[]> => {
      const cluster = await provisioned([EVENTS, INTERACTIONS]);
      for (const { name } of [EVENTS, INTERACTIONS]) {
        cluster.override(name, { ...cluster.overrides(name), ...overrides });
      }
      const { warnings } = await planOf(cluster, [EVENTS, INTERACTIONS], { ...AS_IN_CATALOG, retentionMs: -1 });
      expect(warnings.filter(({ topic }) => topic !== EVENTS.name)).toEqual([]);
      return warnings.map(({ message }) => message);
    };
    expect(await warned({})).toEqual([]);
    expect(await warned({ 'retention.bytes': '-1' })).toEqual([]);
    expect(await warned({ 'retention.ms': '604800000' })).toEqual([
      expect.stringMatching(/^is deleted by time, after 7 d: .*lost, and processing stops \(input_lost\)/),
    ]);
    expect(await warned({ 'retention.bytes': '1000' })).toEqual([
      expect.stringMatching(/^is deleted by size, beyond 1000 bytes a partition: .*retention\.bytes away$/),
    ]);
    expect(await warned({ 'cleanup.policy': 'compact,delete' })).toEqual([expect.stringMatching(/^is compacted: /)]);
    const bare = await provisioned([EVENTS]);
    bare.override(EVENTS.name, {});
    expect((await planOf(bare, [EVENTS], AS_IN_CATALOG)).warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^is deleted by time, after the brokers' default time: /),
    ]);
  });

  it('warns of another replication, which it cannot change', async () => {
    const cluster = await provisioned([TRAITS], { ...AS_IN_CATALOG, replication: 2 });
    const { warnings, changes } = await planOf(cluster, [TRAITS], AS_IN_CATALOG);
    expect(warnings[0]?.message).toBe('has replication 2 instead of 3: reassign its replicas');
    expect(changes).toEqual([
      {
        kind: 'configure',
        topic: 'customer-traits.v1',
        settings: [{ name: 'min.insync.replicas', from: '1', to: '2' }],
      },
    ]);
  });
});

describe('topics apply', () => {
  it('leaves nothing to do', async () => {
    const cluster = await provisioned(TOPICS);
    expect((await planOf(cluster, TOPICS, AS_IN_CATALOG)).changes).toEqual([]);
    const again = await applyTopics(cluster, TOPICS, AS_IN_CATALOG);
    expect(again).toMatchObject({ applied: true, changes: [] });
    expect(cluster.calls).toEqual([]);
  });

  it('mends a setting and keeps what others have set', async () => {
    const cluster = await provisioned([EVENTS]);
    const before = cluster.overrides('customer-events.v1');
    cluster.override('customer-events.v1', { ...before, 'retention.ms': '1000', 'segment.ms': '60000' });
    const drift = await planOf(cluster, [EVENTS], AS_IN_CATALOG);
    expect(drift.extras).toEqual([{ topic: 'customer-events.v1', name: 'segment.ms', value: '60000' }]);
    const done = await applyTopics(cluster, [EVENTS], AS_IN_CATALOG);
    expect(done.changes).toEqual([
      {
        kind: 'configure',
        topic: 'customer-events.v1',
        settings: [{ name: 'retention.ms', from: '1000', to: '-1' }],
      },
    ]);
    expect(cluster.overrides('customer-events.v1')).toEqual({ ...before, 'segment.ms': '60000' });
  });

  it('touches nothing while anything is refused', async () => {
    const cluster = await provisioned([EVENTS]);
    const outcome = await applyTopics(cluster, TOPICS, { ...AS_IN_CATALOG, partitions: 24 });
    expect(outcome.applied).toBe(false);
    expect(cluster.calls).toEqual([]);
  });

  it('fails when what it wrote is not there afterwards', async () => {
    const cluster = await provisioned([EVENTS]);
    cluster.override('customer-events.v1', {});
    cluster.afterWrite = (topic) => cluster.override(topic, { 'retention.ms': '5' });
    await expect(applyTopics(cluster, [EVENTS], AS_IN_CATALOG)).rejects.toMatchObject({
      code: 'log_unavailable',
      message: expect.stringContaining('retention.ms') as string,
    });
  });
});
