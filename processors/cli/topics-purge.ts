import { InvalidArgumentError, type Command } from 'commander';
import { TOPICS } from '../../topics/catalog.ts';
import { topicDirectory } from '../catalog.ts';
import { ConfigurationError } from '../core/errors.ts';
import type { Instant } from '../core/processor.ts';
import { formatTimeSpan, parseTimeSpan } from '../core/time-span.ts';
import { loadConfig } from '../runtime/config.ts';
import { connectServices } from '../runtime/connect.ts';
import { mayBeginAt, readReaders } from '../runtime/purge-bound.ts';
import { readCommits } from '../runtime/group-commit.ts';
import type { EventLog, Store } from '../runtime/ports.ts';
import { commandLog, requireServices } from './connections.ts';
import { CommandFailed } from './failure.ts';
import { OutcomeMeter } from './outcome-meter.ts';
import { answer, columns, JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';

interface PurgeFlags extends JsonFlag {
  readonly after?: number;
  readonly yes?: true;
}

/** One partition of an internal topic as the purge sees it. */
export interface PurgeRow {
  readonly topic: string;
  readonly partition: number;
  readonly start: number;
  readonly end: number;
  /** Up to where every reader had folded when it was last marked; null when one was never. */
  readonly folded: number | null;
  /** Where the partition may begin; null while that is not known. */
  readonly purgeTo: number | null;
  /** What would be deleted. */
  readonly records: number;
}

interface PurgeWorld {
  readonly log: EventLog;
  readonly store: Pick<Store, 'marks'>;
}

export function addTopicsPurge(topics: Command, terminal: Terminal): void {
  topics
    .command('purge')
    .description('delete from internal topics what every group folded long ago; without --yes only tell what that is')
    .option('--after <time>', 'how long ago, like 7d or 12h (default: KIZUNA_PURGE_AFTER)', parseAfter)
    .option('--yes', 'delete it')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\n`kizuna run` does the same once a minute, unless KIZUNA_PURGE_AFTER is never. What each group had folded, and when, is\n' +
        'marked in the database while it runs: nothing is deleted before that is known of every reader for so long. Exit code 2\n' +
        'when there is something to delete and no --yes.\n\nExamples:\n  $ kizuna topics purge\n  $ kizuna topics purge --after 3d --yes',
    )
    .action((flags: PurgeFlags) => purge(flags, terminal));
}

async function purge(flags: PurgeFlags, terminal: Terminal): Promise<void> {
  const config = loadConfig(terminal.environment);
  const afterMs = flags.after ?? config.purgeAfterMs;
  if (afterMs === null) {
    throw new ConfigurationError([{ where: 'KIZUNA_PURGE_AFTER', message: 'is never: give --after to purge by hand' }]);
  }
  const wiring = { topics: TOPICS, stores: [], clock: { now: Date.now }, logger: commandLog(config) };
  await using services = await connectServices(config, requireServices(config), {
    ...wiring,
    meter: new OutcomeMeter(),
  });
  const now = Date.now();
  const rows = await planPurge(services, now, afterMs);
  const todo = rows.filter(({ records }) => records > 0);
  const done = flags.yes === true;
  if (done) {
    for (const row of todo) await purgeRow(row, services, now, afterMs);
  } else if (todo.length > 0) terminal.exitCode = 2;
  const records = todo.reduce((sum, row) => sum + row.records, 0);
  answer(terminal, flags, { afterMs, purged: done, records, partitions: rows }, describe(rows, records, afterMs, done));
}

/** As it was planned, unless the topic was created anew meanwhile: what is there now was folded by nobody. */
export async function purgeRow(
  { topic, partition, purgeTo }: PurgeRow,
  world: PurgeWorld,
  now: Instant,
  afterMs: number,
): Promise<void> {
  if (purgeTo === null) return;
  const again = (await planTopic(topic, world, now, afterMs)).find((row) => row.partition === partition);
  if ((again?.purgeTo ?? -1) < purgeTo) {
    throw new CommandFailed(`${topic}/${partition} was created anew meanwhile: look at it again without --yes.`);
  }
  await world.log.deleteBefore(topic, [{ partition, offset: purgeTo }]);
}

export async function planPurge(world: PurgeWorld, now: Instant, afterMs: number): Promise<PurgeRow[]> {
  const rows: PurgeRow[] = [];
  for (const { name } of TOPICS) rows.push(...(await planTopic(name, world, now, afterMs)));
  return rows;
}

/** None for a topic that is not purged. */
async function planTopic(
  topic: string,
  { log, store }: PurgeWorld,
  now: Instant,
  afterMs: number,
): Promise<PurgeRow[]> {
  const rows: PurgeRow[] = [];
  const readers = topicDirectory.purgedBehind(topic);
  if (readers.length === 0) return rows;
  const ranges = await log.ranges(topic);
  const commits = await readCommits(log, readers, topic);
  for (const { partition, start, end } of ranges) {
    const seen = await readReaders(store.marks, { topic, partition }, commits);
    const newest = seen.map(({ marked }) => marked?.marks.at(-1)?.next ?? null);
    const folded = newest.reduce((least, next) => (least === null || next === null ? null : Math.min(least, next)));
    const bound = mayBeginAt(seen, end, now, afterMs);
    const purgeTo = bound === null ? null : Math.max(start, bound);
    rows.push({ topic, partition, start, end, folded, purgeTo, records: (purgeTo ?? start) - start });
  }
  return rows;
}

function describe(rows: readonly PurgeRow[], records: number, afterMs: number, done: boolean): string {
  const shown = (offset: number | null): string => (offset === null ? 'unknown' : String(offset));
  const table = columns([
    ['TOPIC', 'PARTITION', 'BEGINS', 'FOLDED', 'ENDS', 'MAY BEGIN', 'RECORDS'],
    ...rows.map(({ topic, partition, start, folded, end, purgeTo, records: count }) => [
      topic,
      ...[partition, start, shown(folded), end, shown(purgeTo), count].map(String),
    ]),
  ]);
  const what = `${records} ${records === 1 ? 'record' : 'records'}, folded by every group ${formatTimeSpan(afterMs)} ago or earlier`;
  const hints = rows.some(({ purgeTo }) => purgeTo === null)
    ? ['unknown: a reader is not known to have been there so long ago, or was not seen since; nothing is deleted then.']
    : [];
  const end =
    records === 0
      ? `Nothing to delete that was folded ${formatTimeSpan(afterMs)} ago or earlier.`
      : done
        ? `Deleted ${what}.`
        : `Would delete ${what}. Nothing was deleted: --yes does it.`;
  return [table, ...hints, end].join('\n');
}

function parseAfter(text: string): number {
  const spanMs = parseTimeSpan(text);
  if (spanMs === null) throw new InvalidArgumentError('It is no time like 7d, 12h or 90m.');
  return spanMs;
}
