import { InvalidArgumentError, type Command } from 'commander';
import { TOPICS } from '../../topics/catalog.ts';
import { topicDirectory } from '../catalog.ts';
import { ConfigurationError } from '../core/errors.ts';
import type { Instant } from '../core/processor.ts';
import { formatTimeSpan, parseTimeSpan } from '../core/time-span.ts';
import { loadConfig } from '../runtime/config.ts';
import { connectServices } from '../runtime/connect.ts';
import { purgeBound, isOtherLog } from '../runtime/fold-marks.ts';
import type { EventLog, Store } from '../runtime/ports.ts';
import { commandLog, requireServices } from './connections.ts';
import { OutcomeMeter } from './outcome-meter.ts';
import { answer, columns, JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';

interface PurgeFlags extends JsonFlag {
  readonly after?: number;
  readonly yes?: true;
}

/** One partition of an internal topic as the purge sees it. */
interface PurgeRow {
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
  const rows = await planPurge(services, Date.now(), afterMs);
  const todo = rows.filter(({ records }) => records > 0);
  const done = flags.yes === true;
  if (done) {
    for (const { topic, partition, purgeTo } of todo) {
      if (purgeTo !== null) await services.log.deleteBefore(topic, [{ partition, offset: purgeTo }]);
    }
  } else if (todo.length > 0) terminal.exitCode = 2;
  const records = todo.reduce((sum, row) => sum + row.records, 0);
  answer(terminal, flags, { afterMs, purged: done, records, partitions: rows }, describe(rows, records, afterMs, done));
}

async function planPurge(
  { log, store }: { log: EventLog; store: Pick<Store, 'marks'> },
  now: Instant,
  afterMs: number,
): Promise<PurgeRow[]> {
  const rows: PurgeRow[] = [];
  for (const { name: topic } of TOPICS) {
    const readers = topicDirectory.purgedBehind(topic);
    if (readers.length === 0) continue;
    for (const { partition, start, end } of await log.ranges(topic)) {
      const marked = await Promise.all(readers.map((reader) => store.marks.load(reader, { topic, partition })));
      const newest = marked.map((each) => each?.marks.at(-1)?.next ?? null);
      const folded = newest.reduce((least, next) => (least === null || next === null ? null : Math.min(least, next)));
      const bound = isOtherLog(marked, end) ? null : purgeBound(marked, now, afterMs);
      const purgeTo = bound === null ? null : Math.max(start, Math.min(bound, end));
      rows.push({ topic, partition, start, end, folded, purgeTo, records: (purgeTo ?? start) - start });
    }
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
