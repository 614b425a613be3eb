import { KEEP_FOR_EVER, type Topic } from './catalog.ts';

/** What the cluster has. Topics by their whole name, prefix included. */
export interface ClusterState {
  readonly brokers: number;
  readonly topics: ReadonlyMap<string, TopicState>;
}

export interface TopicState {
  readonly partitions: number;
  readonly replication: number;
  /** Settings made for this topic alone, not the cluster's defaults. */
  readonly overrides: Readonly<Record<string, string>>;
}

/** `null`: as the catalog says. */
export interface PlanOptions {
  readonly prefix: string;
  /** For every topic but dead letters. */
  readonly partitions: number | null;
  readonly replication: number | null;
  /** For every topic that is neither internal nor compacted; -1 before history is loaded. */
  readonly retentionMs: number | null;
}

export const AS_IN_CATALOG: PlanOptions = { prefix: '', partitions: null, replication: null, retentionMs: null };

export interface TopicCreation {
  readonly kind: 'create';
  readonly topic: string;
  readonly partitions: number;
  readonly replication: number;
  readonly config: Readonly<Record<string, string>>;
}

/** Settings to change; all other overrides of the topic stay. `from: null`: not set for this topic. */
export interface TopicConfiguration {
  readonly kind: 'configure';
  readonly topic: string;
  readonly settings: readonly { readonly name: string; readonly from: string | null; readonly to: string }[];
}

export type TopicChange = TopicCreation | TopicConfiguration;

export interface TopicNote {
  readonly topic: string;
  /** What it is about; `history` and `retention`: what the wanted retention would delete, or the present one does. */
  readonly about: 'partitions' | 'replication' | 'history' | 'retention';
  readonly message: string;
}

export interface TopicPlan {
  readonly changes: readonly TopicChange[];
  /** What must not or cannot be done; nothing is applied while there is one. */
  readonly refusals: readonly TopicNote[];
  readonly warnings: readonly TopicNote[];
  /** Overrides that the catalog does not know. They are kept. */
  readonly extras: readonly { readonly topic: string; readonly name: string; readonly value: string }[];
}

const DAY_MS = 24 * 60 * 60 * 1000;
const COMPACTION_LAG_MS = 7 * DAY_MS;

/** Compares catalog and cluster. Pure: the same two always give the same plan, and applying it leaves an empty one. */
export function planTopics(topics: readonly Topic[], state: ClusterState, options: PlanOptions): TopicPlan {
  const changes: TopicChange[] = [];
  const refusals: TopicNote[] = [];
  const warnings: TopicNote[] = [];
  const extras: { topic: string; name: string; value: string }[] = [];
  for (const row of topics) {
    const topic = options.prefix + row.name;
    const wanted = wantedOf(row, options);
    const actual = state.topics.get(topic);
    const history = historyWarning(wanted);
    if (history !== null) warnings.push({ topic, about: 'history', message: history });
    if (actual === undefined) {
      const { partitions, replication, config } = wanted;
      if (replication > state.brokers) {
        refusals.push({
          topic,
          about: 'replication',
          message: `replication ${replication} needs as many brokers, there ${state.brokers === 1 ? 'is' : 'are'} ${state.brokers}`,
        });
      }
      changes.push({ kind: 'create', topic, partitions, replication, config });
      continue;
    }
    if (actual.partitions !== wanted.partitions) {
      refusals.push({ topic, about: 'partitions', message: partitionsReason(actual, wanted) });
    }
    if (actual.replication !== wanted.replication) {
      const message = `has replication ${actual.replication} instead of ${wanted.replication}: reassign its replicas`;
      warnings.push({ topic, about: 'replication', message });
    }
    const settings = Object.entries(wanted.config)
      .map(([name, to]) => ({ name, from: actual.overrides[name] ?? null, to }))
      .filter(({ from, to }) => from !== to);
    if (settings.length > 0) changes.push({ kind: 'configure', topic, settings });
    const shortened = shorterRetention(actual, wanted);
    if (shortened !== null) warnings.push({ topic, about: 'retention', message: shortened });
    for (const message of lossesOf(row, actual)) warnings.push({ topic, about: 'retention', message });
    for (const [name, value] of Object.entries(actual.overrides)) {
      if (!(name in wanted.config)) extras.push({ topic, name, value });
    }
  }
  return { changes, refusals, warnings, extras };
}

interface Wanted {
  readonly row: Topic;
  readonly partitions: number;
  readonly replication: number;
  readonly retentionMs: number;
  readonly config: Readonly<Record<string, string>>;
}

function wantedOf(row: Topic, options: PlanOptions): Wanted {
  const partitions = row.role === 'dead-letter' ? row.partitions : (options.partitions ?? row.partitions);
  const replication = options.replication ?? row.replication;
  const timed = row.cleanup === 'delete' && row.role !== 'internal';
  const retentionMs = timed ? (options.retentionMs ?? row.retentionMs) : row.retentionMs;
  // One replica must be allowed to be away, where there are several.
  const minInsync = Math.max(1, Math.min(row.minInsyncReplicas, replication - 1));
  return {
    row,
    partitions,
    replication,
    retentionMs,
    config: {
      'cleanup.policy': row.cleanup,
      // What a tombstone ends is gone after so long, not just some day.
      ...(row.cleanup === 'delete'
        ? { 'retention.ms': String(retentionMs) }
        : { 'max.compaction.lag.ms': String(COMPACTION_LAG_MS) }),
      'max.message.bytes': String(row.maxMessageBytes),
      'min.insync.replicas': String(minInsync),
      'compression.type': row.compression,
    },
  };
}

function historyWarning({ row, retentionMs }: Wanted): string | null {
  if (row.cleanup !== 'delete' || row.role === 'dead-letter' || retentionMs === KEEP_FOR_EVER) return null;
  return (
    `keeps ${days(retentionMs)} counted from each record's own timestamp: ` +
    'older history is deleted minutes after it was loaded, so load it with a retention of -1'
  );
}

function shorterRetention(actual: TopicState, wanted: Wanted): string | null {
  const value = actual.overrides['retention.ms'];
  if (value === undefined || wanted.row.cleanup !== 'delete' || wanted.retentionMs === KEEP_FOR_EVER) return null;
  const kept = Number(value);
  if (kept !== KEEP_FOR_EVER && kept <= wanted.retentionMs) return null;
  const before = kept === KEEP_FOR_EVER ? 'for ever' : days(kept);
  return `kept its records ${before}: those older than ${days(wanted.retentionMs)} will be deleted`;
}

/**
 * What deletes from an internal topic besides the purge, which alone knows what is folded. A size that somebody set is not
 * the catalog's to change, so that is all that is said of it.
 */
function lossesOf({ role, cleanup }: Topic, { overrides }: TopicState): string[] {
  if (role !== 'internal' || cleanup !== 'delete') return [];
  const losses: string[] = [];
  const { 'retention.ms': kept, 'retention.bytes': bytes, 'cleanup.policy': policy } = overrides;
  const stops = 'whatever is not folded by then is lost, and processing stops (input_lost)';
  if (kept !== String(KEEP_FOR_EVER)) {
    const time = kept === undefined ? "the brokers' default time" : days(Number(kept));
    losses.push(`is deleted by time, after ${time}: ${stops}. Only the purge may delete here: set it to -1 with apply`);
  }
  if (bytes !== undefined && bytes !== String(KEEP_FOR_EVER)) {
    losses.push(`is deleted by size, beyond ${bytes} bytes a partition: ${stops}. Take retention.bytes away`);
  }
  if (policy?.includes('compact') === true) {
    losses.push('is compacted: records that were not folded are lost without a trace. Set it to delete with apply');
  }
  return losses;
}

function partitionsReason(actual: TopicState, wanted: Wanted): string {
  return (
    `has ${actual.partitions} partitions instead of ${wanted.partitions}: another number would send keys to other partitions, ` +
    'away from their state and out of order. Create the next version of the topic, drain this one, move its readers'
  );
}

const days = (milliseconds: number): string => `${Number((milliseconds / DAY_MS).toFixed(2))} d`;
