import { InvalidArgumentError, type Command } from 'commander';
import { applyTopics, planOf, type TopicAdmin } from '../../topics/apply.ts';
import { KEEP_FOR_EVER, TOPICS } from '../../topics/catalog.ts';
import type { PlanOptions } from '../../topics/plan.ts';
import { parseTimeSpan } from '../core/time-span.ts';
import { loadConfig } from '../runtime/config.ts';
import { openTopicAdmin } from './connections.ts';
import { answer, JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';
import { addTopicsPurge } from './topics-purge.ts';
import { describeApplied, describeDrift, describePlan } from './topics-report.ts';
import { wholeNumber } from './whole-number.ts';

interface TopicsFlags extends JsonFlag {
  readonly partitions?: number;
  readonly replication?: number;
  readonly retention?: number;
}
type ApplyFlags = TopicsFlags & { readonly dryRun?: true };

const PARTITIONS_MAX = 10_000;
const REPLICATION_MAX = 100;

const NAMES = '\nTopics are named <KIZUNA_PREFIX><name>; nothing but the topics of the catalog is looked at.';

export function addTopics(program: Command, terminal: Terminal): void {
  const topics = program.command('topics').description('create and configure the topics of the catalog');
  withOptions(topics.command('plan'))
    .description('tell what apply would do: exit code 2 when there are changes, 1 when some cannot be made')
    .addHelpText('after', `${NAMES}\n\nExample:\n  $ kizuna topics plan --replication 1`)
    .action((flags: TopicsFlags) => plan(flags, terminal));
  withOptions(topics.command('apply'))
    .description('create missing topics and set their configuration; other settings stay; harmless when repeated')
    .option('--dry-run', 'as plan')
    .addHelpText(
      'after',
      `${NAMES}\nWhen something must be refused, nothing is touched and the exit code is 1.\n\nExamples:\n` +
        '  $ kizuna topics apply\n  $ kizuna topics apply --retention forever    before history is loaded',
    )
    .action((flags: ApplyFlags) => (flags.dryRun === true ? plan(flags, terminal) : apply(flags, terminal)));
  withOptions(topics.command('drift'))
    .description('tell where the cluster differs from the catalog, settings made by others included: exit code 2 then')
    .addHelpText('after', `${NAMES}\n\nExample:\n  $ kizuna topics drift --json`)
    .action((flags: TopicsFlags) => drift(flags, terminal));
  addTopicsPurge(topics, terminal);
}

function withOptions(command: Command): Command {
  return command
    .option(
      '--partitions <n>',
      'of every topic but dead letters (default: as in the catalog)',
      wholeNumber(PARTITIONS_MAX),
    )
    .option('--replication <n>', 'replicas of every topic (default: as in the catalog)', wholeNumber(REPLICATION_MAX))
    .option(
      '--retention <time>',
      'of inputs, outputs and dead letters, like 7d or 12h, or forever (default: as in the catalog)',
      parseRetention,
    )
    .option(...JSON_OPTION);
}

async function plan(flags: TopicsFlags, terminal: Terminal): Promise<void> {
  await using cluster = open(flags, terminal);
  const planned = await planOf(cluster.admin, TOPICS, cluster.options);
  if (planned.refusals.length > 0) terminal.exitCode = 1;
  else if (planned.changes.length > 0) terminal.exitCode = 2;
  answer(terminal, flags, planned, describePlan(planned));
}

async function apply(flags: TopicsFlags, terminal: Terminal): Promise<void> {
  await using cluster = open(flags, terminal);
  const done = await applyTopics(cluster.admin, TOPICS, cluster.options);
  if (!done.applied) terminal.exitCode = 1;
  answer(terminal, flags, done, describeApplied(done));
}

async function drift(flags: TopicsFlags, terminal: Terminal): Promise<void> {
  await using cluster = open(flags, terminal);
  const planned = await planOf(cluster.admin, TOPICS, cluster.options);
  const { text, differences } = describeDrift(planned);
  if (differences > 0) terminal.exitCode = 2;
  answer(terminal, flags, { differences, ...planned }, text);
}

interface Cluster extends AsyncDisposable {
  readonly admin: TopicAdmin;
  readonly options: PlanOptions;
}

function open(flags: TopicsFlags, terminal: Terminal): Cluster {
  const config = loadConfig(terminal.environment);
  const { partitions = null, replication = null, retention: retentionMs = null } = flags;
  const stack = new AsyncDisposableStack();
  const options = { prefix: config.prefix, partitions, replication, retentionMs };
  return { admin: openTopicAdmin(config, stack), options, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** `7d`, `12h`, `90m` or `forever` (`-1`, as brokers say it), in ms. */
export function parseRetention(text: string): number {
  if (text === 'forever' || text === String(KEEP_FOR_EVER)) return KEEP_FOR_EVER;
  const spanMs = parseTimeSpan(text);
  if (spanMs === null) throw new InvalidArgumentError('It is neither a time like 7d, 12h or 90m nor forever.');
  return spanMs;
}
