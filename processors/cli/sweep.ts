import { InvalidArgumentError, type Command } from 'commander';
import { createProcessors } from '../catalog.ts';
import { ConfigurationError } from '../core/errors.ts';
import type { AnyStateful, Instant, Processor } from '../core/processor.ts';
import { loadDefinitions, shippedDefinitions } from '../definitions/load.ts';
import { startKizuna, type Kizuna } from '../main.ts';
import { loadConfig, type Config } from '../runtime/config.ts';
import { StatefulMember } from '../runtime/consume-stateful.ts';
import { refuseCompany } from './company.ts';
import { commandLog, requireServices } from './connections.ts';
import { refuseOtherDefinitions } from './definitions-generations.ts';
import { CommandFailed } from './failure.ts';
import { parseInstant } from './replay.ts';
import { refuseUpstreamLag, sweepMember, waitingRecords } from './sweep-run.ts';
import { answer, columns, JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';

interface SweepFlags extends JsonFlag {
  readonly until: Instant;
  readonly processor?: string;
  readonly force?: true;
}

/** What one processor's sweep did. */
export interface Swept {
  readonly processor: string;
  readonly partitions: number;
  /** Records that were waiting and are folded now. */
  readonly folded: number;
  readonly published: Readonly<Record<string, number>>;
  /** Of those published: what the last owner had sent but not noted, sent once more with the same positions. */
  readonly sentAgain: number;
  readonly seconds: number;
}

export function addSweep(program: Command, terminal: Terminal): void {
  program
    .command('sweep')
    .description('let time pass for every key up to a moment, in record time: after history was loaded')
    .requiredOption('--until <time>', 'apply every deadline up to here, inclusive (ISO 8601 with a zone)', instant)
    .option('--processor <name>', 'the one to sweep (default: every one that keeps state)')
    .option('--force', 'also up to a moment that has not come yet')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nJoins the group as its only member and refuses while it has others: stop `kizuna run` first, after it has folded\n' +
        'everything. A deadline that was applied is never taken back, so a moment in the future needs --force.\n\n' +
        'Example:\n  $ kizuna sweep --until 1998-07-01T00:00:00Z',
    )
    .action((flags: SweepFlags) => sweep(flags, terminal));
}

/** As of a replay, and never later than what a date can say. */
function instant(text: string): Instant {
  const time = parseInstant(text);
  if (time < 0) throw new InvalidArgumentError('It is before 1970.');
  return time;
}

async function sweep(flags: SweepFlags, terminal: Terminal): Promise<void> {
  const config = loadConfig(terminal.environment);
  requireServices(config);
  const { until } = flags;
  if (until > Date.now() && flags.force !== true) {
    const message = `${new Date(until).toISOString()} has not come yet, and a deadline is never taken back: --force does it all the same`;
    throw new ConfigurationError([{ where: '--until', message }]);
  }
  const definitions = await loadDefinitions(config.definitionsFolder ?? shippedDefinitions);
  const processors = createProcessors(definitions);
  const swept: Swept[] = [];
  for (const processor of chosen(processors, flags.processor)) {
    swept.push(await sweepOne(processor, processors, config, until, definitions.hash, terminal));
  }
  const rows = swept.flatMap(({ processor, partitions, folded, published, sentAgain, seconds }) => [
    [processor, `${partitions} partitions, ${folded} records folded, ${seconds.toFixed(1)} s`],
    ...Object.entries(published).map(([topic, records]) => [`  ${topic}`, `${records} published`]),
    ...(sentAgain > 0 ? [['  of these', `${sentAgain} sent again, with the same positions`]] : []),
  ]);
  const text = `Every deadline up to ${new Date(until).toISOString()} is applied.\n${columns(rows)}`;
  answer(terminal, flags, { until: new Date(until).toISOString(), swept }, text);
}

function chosen(processors: readonly Processor[], name: string | undefined): AnyStateful[] {
  const stateful = processors.filter((each) => each.kind === 'stateful');
  if (name === undefined) return stateful;
  const found = stateful.filter((each) => each.name === name);
  if (found.length > 0) return found;
  const names = stateful.map((each) => each.name).join(', ');
  throw new ConfigurationError([
    { where: '--processor', message: `${name} keeps no state to sweep; these do: ${names}` },
  ]);
}

async function sweepOne(
  processor: AnyStateful,
  processors: readonly Processor[],
  config: Config,
  until: Instant,
  hash: string,
  terminal: Terminal,
): Promise<Swept> {
  const startedAt = Date.now();
  let folded = 0;
  const alone: Config = { ...config, time: 'record', http: { ...config.http, port: 0 } };
  await using kizuna = await startKizuna(alone, {
    logger: commandLog(config),
    clock: { now: Date.now },
    only: [processor.name],
    provision: async ({ log, store }) => {
      await refuseOtherDefinitions(store.generations, hash);
      await refuseCompany(log, processor, 0, 'a sweep');
      await refuseUpstreamLag(log, processor, processors, until);
      folded = await waitingRecords(log, processor);
    },
  });
  const [member] = kizuna.pipeline.members;
  if (!(member instanceof StatefulMember)) throw new CommandFailed(`${processor.name} did not start`);
  const progress = (line: string): void => {
    terminal.err(`${processor.name}: ${line}\n`);
  };
  const stop = new AbortController();
  const work = sweepMember(member, kizuna.ports, until, progress, stop.signal);
  const partitions = await Promise.race([work, kizuna.pipeline.failed]).finally(() => {
    stop.abort();
  });
  const seconds = (Date.now() - startedAt) / 1000;
  return { processor: processor.name, partitions, folded, ...(await publishedBy(kizuna)), seconds };
}

async function publishedBy({ registry }: Kizuna): Promise<Pick<Swept, 'published' | 'sentAgain'>> {
  const counted = (await registry.getSingleMetric('kizuna_outputs_total')?.get())?.values ?? [];
  const again = (await registry.getSingleMetric('kizuna_outputs_replayed_total')?.get())?.values ?? [];
  const published: Record<string, number> = {};
  for (const { labels, value } of counted) if (value > 0) published[String(labels['topic'])] = value;
  return { published, sentAgain: again.reduce((sum, { value }) => sum + value, 0) };
}
