import { KEEP_FOR_EVER } from '../../topics/catalog.ts';
import type { TopicChange, TopicConfiguration, TopicCreation, TopicNote, TopicPlan } from '../../topics/plan.ts';
import { columns } from './terminal.ts';

const DAY_MS = 86_400_000;

/** What apply would do, for a person. */
export function describePlan(plan: TopicPlan): string {
  const { changes, refusals } = plan;
  const end =
    refusals.length > 0
      ? `${count(refusals.length, 'topic')} refused, so apply would touch nothing.${replicationHint(refusals)}`
      : changes.length > 0
        ? `To do: ${countsOf(changes, 'create', 'configure')}.`
        : 'No changes: the topics are as the catalog says.';
  return [...changesOf(plan, 'create', 'configure'), ...notesOf(plan), end].join('\n');
}

/** What apply did, for a person. */
export function describeApplied(plan: TopicPlan & { readonly applied: boolean }): string {
  const { changes, refusals, applied } = plan;
  if (!applied) {
    const end = `Nothing was touched: ${count(refusals.length, 'topic')} refused.${replicationHint(refusals)}`;
    return [...grouped('refused', refusals), end].join('\n');
  }
  const end =
    changes.length > 0
      ? `Done: ${countsOf(changes, 'created', 'configured')}.`
      : 'Nothing to do: the topics are as the catalog says.';
  return [...changesOf(plan, 'created', 'configured'), ...notesOf(plan), end].join('\n');
}

/** Where the cluster differs, for a person; settings that only others know count too. */
export function describeDrift(plan: TopicPlan): { text: string; differences: number } {
  const created = new Set(plan.changes.flatMap(({ kind, topic }) => (kind === 'create' ? topic : [])));
  const notes = [...plan.refusals, ...plan.warnings].filter(
    ({ topic, about }) => (about === 'partitions' || about === 'replication') && !created.has(topic),
  );
  const rows = [
    ...[...created].map((topic) => [topic, 'does not exist']),
    ...plan.changes.flatMap((change) =>
      change.kind === 'create'
        ? []
        : change.settings.map(({ name, from, to }) => [
            change.topic,
            `${name} is ${valueOf(name, from)}, the catalog says ${valueOf(name, to)}`,
          ]),
    ),
    ...notes.map(({ topic, message }) => [topic, message]),
    ...plan.extras.map(({ topic, name, value }) => [
      topic,
      `${name} is ${valueOf(name, value)}, the catalog does not know it`,
    ]),
  ];
  if (rows.length === 0) return { text: 'No drift: the topics are as the catalog says.', differences: 0 };
  return { text: `${columns(rows)}\n${count(rows.length, 'difference')}.`, differences: rows.length };
}

function changesOf({ changes }: TopicPlan, create: string, configure: string): string[] {
  const creations = changes.filter((change) => change.kind === 'create');
  const configurations = changes.filter((change) => change.kind === 'configure');
  return [
    ...(creations.length === 0
      ? []
      : [columns([CREATION_COLUMNS, ...creations.map((each) => creation(create, each))])]),
    ...(configurations.length === 0 ? [] : [columns(configurations.flatMap((each) => configuration(configure, each)))]),
  ];
}

const CREATION_COLUMNS = ['', 'TOPIC', 'PARTITIONS', 'REPLICATION', 'IN SYNC', 'CLEANUP', 'RETENTION', 'MAX BYTES'];

function creation(verb: string, { topic, partitions, replication, config }: TopicCreation): string[] {
  const { 'retention.ms': retention } = config;
  return [
    verb,
    topic,
    String(partitions),
    String(replication),
    config['min.insync.replicas'] ?? '',
    config['cleanup.policy'] ?? '',
    retention === undefined ? '' : span(retention),
    config['max.message.bytes'] ?? '',
  ];
}

const configuration = (verb: string, { topic, settings }: TopicConfiguration): string[][] =>
  settings.map(({ name, from, to }) => [verb, topic, name, `${valueOf(name, from)} → ${valueOf(name, to)}`]);

function notesOf({ refusals, warnings, extras }: TopicPlan): string[] {
  const kept = extras.map(
    ({ topic, name, value }) => `kept: ${topic} has ${name}=${value}, which the catalog does not know`,
  );
  return [...grouped('warning', warnings), ...kept, ...grouped('refused', refusals)];
}

/** What is the same for several topics is said once. */
function grouped(label: string, notes: readonly TopicNote[]): string[] {
  const topics = new Map<string, string[]>();
  for (const { topic, message } of notes) topics.set(message, [...(topics.get(message) ?? []), topic]);
  return [...topics].map(([message, names]) => `${label}: ${names.join(', ')}: ${message}`);
}

function countsOf(changes: readonly TopicChange[], create: string, configure: string): string {
  const creations = changes.filter(({ kind }) => kind === 'create').length;
  const configurations = changes.length - creations;
  const counts = [
    creations > 0 ? `${create} ${creations}` : '',
    configurations > 0 ? `${configure} ${configurations}` : '',
  ];
  return counts.filter(Boolean).join(', ');
}

/** The one refusal that everybody meets on a machine of their own. */
function replicationHint(refusals: readonly TopicNote[]): string {
  return refusals.some(({ about }) => about === 'replication')
    ? ' With fewer brokers give --replication: 1 on a single one.'
    : '';
}

function valueOf(name: string, value: string | null): string {
  if (value === null) return 'not set';
  return name === 'retention.ms' ? `${value} (${span(value)})` : value;
}

function span(retentionMs: string): string {
  if (retentionMs === String(KEEP_FOR_EVER)) return 'for ever';
  return `${Number((Number(retentionMs) / DAY_MS).toFixed(2))} d`;
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
