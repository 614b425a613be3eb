/**
 * Every topic, one row each. The names are public: they are added to, never renamed. A prefix (KIZUNA_PREFIX) is put before
 * the whole name by the adapters and by `plan`; nothing else knows it.
 */

/** `input`: written by the brand's systems. `internal`: between two processors. `output`: for others to read. */
export type TopicRole = 'input' | 'internal' | 'output' | 'dead-letter';

/** How a schema may change. Inputs: we read everything old. Outputs: old readers also read everything new. */
export type Compatibility = 'BACKWARD_TRANSITIVE' | 'FULL_TRANSITIVE';

export interface Topic {
  readonly name: string;
  readonly role: TopicRole;
  readonly doc: string;
  /** What the record key is made of; null: it means nothing. */
  readonly key: string | null;
  /** The Avro record in `schemas/<name>.avsc`, registered as subject `<topic>-value`; null: raw bytes. */
  readonly schema: string | null;
  readonly compatibility: Compatibility | null;
  /** Consumer groups of the processors that write or read it. Writers of inputs and readers of outputs are outside. */
  readonly writers: readonly string[];
  readonly readers: readonly string[];
  readonly partitions: number;
  readonly replication: number;
  /** Replicas that must have a record before it is acknowledged; lowered when the replication is (plan.ts). */
  readonly minInsyncReplicas: number;
  readonly cleanup: 'delete' | 'compact';
  /** Counted from the record's own timestamp; -1 for ever. Without effect on a compacted topic. */
  readonly retentionMs: number;
  /** The largest record batch, after compression. */
  readonly maxMessageBytes: number;
  /** `producer`: as it was sent. */
  readonly compression: 'producer' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
}

const DAY_MS = 24 * 60 * 60 * 1000;
const MIB = 1024 * 1024;
/**
 * A dead letter is the refused record and some headers that tell why, bounded by runtime/dead-letter.ts. The same for every
 * source: what came in compressed is larger than its topic's limit.
 */
const DEAD_LETTER_BYTES = 6 * MIB + 64 * 1024;

/** Nothing deletes it by itself. */
export const KEEP_FOR_EVER = -1;

const INTAKE = 'kizuna.intake.v1';
const CUSTOMER = 'kizuna.customer.v1';
const TOUCHPOINT = 'kizuna.touchpoint.v1';
const BRAND = 'kizuna.brand.v1';
const EXPERIMENT = 'kizuna.experiment.v1';

const everyTopic = {
  partitions: 12,
  replication: 3,
  minInsyncReplicas: 2,
  maxMessageBytes: MIB,
  compression: 'producer',
} as const;

const compactedOutput = {
  ...everyTopic,
  role: 'output',
  cleanup: 'compact',
  retentionMs: KEEP_FOR_EVER,
  compatibility: 'FULL_TRANSITIVE',
  key: 'brand|subject',
  writers: [CUSTOMER],
  readers: [],
} as const;

/** Of changes, of which every one is for those who listen. */
const changesOutput = { ...compactedOutput, cleanup: 'delete', retentionMs: 28 * DAY_MS } as const;

const touchpointOutput = { ...compactedOutput, key: 'brand|touchpoint|channel', writers: [TOUCHPOINT] } as const;

const deadLetter = {
  ...everyTopic,
  role: 'dead-letter',
  maxMessageBytes: DEAD_LETTER_BYTES,
  partitions: 3,
  cleanup: 'delete',
  retentionMs: 28 * DAY_MS,
  schema: null,
  compatibility: null,
  key: 'as the refused record',
  readers: [],
} as const;

/** The topic that takes what `group` refuses of `topic`. */
export function deadLetterTopic<Name extends string, Group extends string>(
  topic: Name,
  group: Group,
): `${Name}.${Group}.dlq` {
  return `${topic}.${group}.dlq`;
}

export const TOPICS = [
  {
    ...everyTopic,
    name: 'interactions.v1',
    role: 'input',
    doc: 'Every interaction of a customer with the brand, on every channel.',
    key: null,
    schema: 'Interaction',
    compatibility: 'BACKWARD_TRANSITIVE',
    writers: [],
    readers: [INTAKE],
    cleanup: 'delete',
    retentionMs: 28 * DAY_MS,
    maxMessageBytes: 6 * MIB,
  },
  {
    ...everyTopic,
    name: 'commands.v1',
    role: 'input',
    doc: 'Orders of an operator about one subject or case: acknowledge and resolve a case, unlink, erase.',
    key: 'brand|subject',
    schema: 'Command',
    compatibility: 'BACKWARD_TRANSITIVE',
    writers: [],
    readers: [INTAKE],
    cleanup: 'delete',
    retentionMs: 28 * DAY_MS,
  },
  {
    ...everyTopic,
    name: 'customer-events.v1',
    role: 'internal',
    doc: 'Valid interactions, keyed by the customer they are about, and what follows from links between identifiers and from erasures. Purged once every reader has folded them, KIZUNA_PURGE_AFTER later.',
    key: 'brand|subject',
    schema: 'CustomerEvent',
    compatibility: 'BACKWARD_TRANSITIVE',
    writers: [INTAKE, CUSTOMER],
    readers: [CUSTOMER],
    cleanup: 'delete',
    retentionMs: KEEP_FOR_EVER,
  },
  {
    ...changesOutput,
    name: 'segment-memberships.v1',
    doc: 'All segments a customer entered and left at one instant, why, and all memberships since.',
    schema: 'SegmentMembershipsChanged',
  },
  {
    ...compactedOutput,
    name: 'churn-risk.v1',
    doc: 'The probability that a customer buys no more, its band, and the reasons.',
    schema: 'ChurnRiskChanged',
  },
  {
    ...compactedOutput,
    name: 'customer-traits.v1',
    doc: 'The whole profile view of a customer, at most once a minute.',
    schema: 'CustomerTraits',
  },
  {
    ...compactedOutput,
    name: 'identity-merges.v1',
    doc: 'An identifier became part of a stronger one, or was taken out again.',
    key: 'brand|weaker subject',
    schema: 'IdentityMerged',
  },
  {
    ...changesOutput,
    name: 'journey-stages.v1',
    doc: 'A customer moved to another stage of the journey or of the lifecycle, from which one, by which rule.',
    schema: 'JourneyChanged',
  },
  {
    ...changesOutput,
    name: 'triggers.v1',
    doc: 'Something is to be said to a customer (a cart left, an order due, a milestone, ...), once for each cause, or has become moot.',
    schema: 'TriggerChanged',
  },
  {
    ...everyTopic,
    name: 'touchpoint-events.v1',
    role: 'internal',
    doc: 'Answers, complaints and commands about cases, keyed by the document they change. Purged as customer-events.v1 is.',
    key: 'brand|touchpoint|channel, or brand|touchpoint|subject for a case',
    schema: 'TouchpointEvent',
    compatibility: 'BACKWARD_TRANSITIVE',
    writers: [INTAKE],
    readers: [TOUCHPOINT],
    cleanup: 'delete',
    retentionMs: KEEP_FOR_EVER,
  },
  {
    ...touchpointOutput,
    name: 'touchpoint-scores.v1',
    doc: 'NPS, satisfaction, effort and rating of a touchpoint on a channel over all windows, at most once a minute.',
    schema: 'TouchpointScores',
  },
  {
    ...touchpointOutput,
    name: 'touchpoint-alerts.v1',
    doc: 'A control chart of a touchpoint left its limits or came back, with the evidence.',
    schema: 'TouchpointAlertChanged',
    cleanup: 'delete',
    retentionMs: 28 * DAY_MS,
  },
  {
    ...touchpointOutput,
    name: 'cases.v1',
    doc: 'The case of a dissatisfied customer at a touchpoint, at each of its steps.',
    key: 'brand|case',
    schema: 'CaseChanged',
  },
  {
    ...everyTopic,
    name: 'brand-partials.v1',
    role: 'internal',
    doc: 'What each partition of customers adds to the measures of a brand, the newest replacing. Purged as customer-events.v1 is.',
    key: 'brand|dimension|value',
    schema: 'BrandPartial',
    compatibility: 'BACKWARD_TRANSITIVE',
    writers: [CUSTOMER],
    readers: [BRAND],
    cleanup: 'delete',
    retentionMs: KEEP_FOR_EVER,
  },
  {
    ...everyTopic,
    name: 'experiment-events.v1',
    role: 'internal',
    doc: 'What each customer counts for in an experiment, in place of what was counted before. Purged as customer-events.v1 is.',
    key: 'brand|experiment',
    schema: 'ExperimentEvent',
    compatibility: 'BACKWARD_TRANSITIVE',
    writers: [CUSTOMER],
    readers: [EXPERIMENT],
    cleanup: 'delete',
    retentionMs: KEEP_FOR_EVER,
  },
  {
    ...compactedOutput,
    name: 'brand-kpis.v1',
    doc: 'Every measure of a brand, its segments, channels and campaigns, over each window, with numerator and denominator, when it has changed.',
    key: 'brand|dimension|value|measure|window',
    schema: 'BrandKpi',
    writers: [BRAND],
  },
  {
    ...compactedOutput,
    name: 'experiment-results.v1',
    doc: 'How the variants of an experiment compare on one metric, always-valid, at most once a minute.',
    key: 'brand|experiment|metric',
    schema: 'ExperimentResults',
    writers: [EXPERIMENT],
  },
  {
    ...deadLetter,
    name: deadLetterTopic('interactions.v1', INTAKE),
    doc: 'Interactions that intake refused, bytes untouched, with the reason as headers.',
    writers: [INTAKE],
  },
  {
    ...deadLetter,
    name: deadLetterTopic('commands.v1', INTAKE),
    doc: 'Commands that intake refused, bytes untouched, with the reason as headers.',
    writers: [INTAKE],
  },
  {
    ...deadLetter,
    name: deadLetterTopic('customer-events.v1', CUSTOMER),
    doc: 'Customer events that the customer processor could not read, bytes untouched, with the reason as headers.',
    writers: [CUSTOMER],
  },
  {
    ...deadLetter,
    name: deadLetterTopic('touchpoint-events.v1', TOUCHPOINT),
    doc: 'Touchpoint events that the touchpoint processor could not read, bytes untouched, with the reason as headers.',
    writers: [TOUCHPOINT],
  },
  {
    ...deadLetter,
    name: deadLetterTopic('brand-partials.v1', BRAND),
    doc: 'Partials that the brand processor could not read, bytes untouched, with the reason as headers.',
    writers: [BRAND],
  },
  {
    ...deadLetter,
    name: deadLetterTopic('experiment-events.v1', EXPERIMENT),
    doc: 'Experiment events that the experiment processor could not read, bytes untouched, with the reason as headers.',
    writers: [EXPERIMENT],
  },
] as const satisfies readonly Topic[];

export type TopicName = (typeof TOPICS)[number]['name'];

const byName: ReadonlyMap<string, Topic> = new Map(TOPICS.map((topic) => [topic.name, topic]));

/** The row of a topic. Throws RangeError for a name that the catalog does not have. */
export function topicOf(name: TopicName | (string & {})): Topic {
  const topic = byName.get(name);
  if (topic === undefined) throw new RangeError(`no topic ${name} in topics/catalog.ts`);
  return topic;
}
