import { randomBytes } from 'node:crypto';
import { setTimeout as rest } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import { loadConfig, type Config } from '../runtime/config.ts';
import { createLog } from '../runtime/log.ts';
import { CommandFailed } from './failure.ts';
import { filterOf, parsePlace, placeText, sourceTopic, type FilterFlags, type LetterFilter } from './dlq-filter.ts';
import { isOpen, type RedriveTime } from './dlq-plan.ts';
import { countsOf, describeList, describeWork, Newest, summaryOf } from './dlq-report.ts';
import { scanLetters, type FoundLetter } from './dlq-scan.ts';
import { documentOf, pageOf, readValue } from './dlq-show.ts';
import { DeadLetterWork } from './dlq-work.ts';
import { openDeadLetterWorld, type DeadLetterWorld } from './dlq-world.ts';
import { whoami } from './operator.ts';
import { parseInstant } from './replay.ts';
import { answer, JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';
import { wholeNumber } from './whole-number.ts';

interface ListFlags extends FilterFlags, JsonFlag {
  readonly limit: number;
  readonly all?: true;
}
interface WorkFlags extends FilterFlags, JsonFlag {
  readonly max: number;
  readonly yes?: true;
  readonly by?: string;
  readonly note?: string;
}
interface RedriveFlags extends WorkFlags {
  readonly perSecond: number;
  readonly time: RedriveTime;
  readonly force?: true;
  readonly again?: true;
}

const LIST_MAX = 100_000;
const WORK_MAX = 10_000_000;
const PER_SECOND_MAX = 100_000;

export function addDlq(program: Command, terminal: Terminal): void {
  const dlq = program.command('dlq').description('work through dead letters: what processors refused, and why');
  withFilters(dlq.command('list'))
    .description('list dead letters that nothing was done with yet, newest last, and count them by reason')
    .option('--limit <n>', 'show the newest n', wholeNumber(LIST_MAX), 50)
    .option('--all', 'also those that were redriven or discarded')
    .addHelpText(
      'after',
      '\nReads without a trace: nothing is committed.\n\nExample:\n  $ kizuna dlq list --reason unknown_schema --since 2026-07-01T00:00:00Z',
    )
    .action((flags: ListFlags) => list(flags, terminal));
  dlq
    .command('show')
    .description('show one dead letter with its headers, key and value: this may be personal data')
    .argument('<letter>', 'TOPIC/PARTITION/OFFSET, as list writes it')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ kizuna dlq show interactions.v1.kizuna.intake.v1.dlq/0/17')
    .action((letter: string, flags: JsonFlag) => show(letter, flags, terminal));
  withWork(dlq.command('redrive'))
    .description(
      'send dead letters back to the topic they were refused from; without --yes only tell what would be sent',
    )
    .option('--per-second <n>', 'send about n a second', wholeNumber(PER_SECOND_MAX), 100)
    .addOption(
      new Option('--time <which>', 'the time that a record carries: its own, or that of the redrive')
        .choices(['original', 'now'])
        .default('original'),
    )
    .option('--force', 'also what was redriven three times in vain')
    .option('--again', 'also what was redriven or discarded before')
    .addHelpText(
      'after',
      '\nA record goes back with the same key, bytes and headers, and its own time, so that it is folded as if it had come\n' +
        'then; it carries no position, and its event id keeps it from counting twice. What was sent is remembered: the same\n' +
        'command twice sends nothing twice. Without --yes the exit code is 2 when something would be sent.\n\n' +
        'Examples:\n  $ kizuna dlq redrive --reason unknown_schema\n  $ kizuna dlq redrive --reason unknown_schema --yes',
    )
    .action((letters: readonly string[], flags: RedriveFlags) => redrive(letters, flags, terminal));
  withWork(dlq.command('discard'))
    .description('file dead letters away: list shows them no more; without --yes only tell which')
    .addHelpText(
      'after',
      '\nNothing is deleted from Kafka: a receipt says who filed what away, when and why. `kizuna dlq redrive --again` takes\n' +
        'it out again. Without --yes the exit code is 2 when something would be discarded.\n\n' +
        "Example:\n  $ kizuna dlq discard --reason no_identifier --until 2026-07-01T00:00:00Z --note 'bot traffic' --yes",
    )
    .action((letters: readonly string[], flags: WorkFlags) => discard(letters, flags, terminal));
}

function withFilters(command: Command): Command {
  return command
    .option('--topic <name>', 'the topic they were refused from, or the dead-letter topic (default: every one)')
    .option('--reason <codes>', 'for these reasons, like unknown_schema,undecodable', several)
    .option('--stage <names>', 'decode: the bytes said nothing; fold: what they said was refused', several)
    .option('--since <time>', 'the record is of this time or later (ISO 8601 with a zone)', parseInstant)
    .option('--until <time>', 'the record is of this time or earlier', parseInstant)
    .option('--key <key>', 'with this key, as list shows it')
    .option(...JSON_OPTION);
}

function withWork(command: Command): Command {
  return withFilters(command)
    .argument('[letter...]', 'these alone: TOPIC/PARTITION/OFFSET, as list writes it')
    .option('--yes', 'do it')
    .option('--max <n>', 'no more than n letters', wholeNumber(WORK_MAX), 1000)
    .option('--by <name>', 'who does it, for the audit (default: user@host)')
    .option('--note <text>', 'why, for the audit');
}

async function list(flags: ListFlags, terminal: Terminal): Promise<void> {
  const config = loadConfig(terminal.environment);
  const filter = filterOf(flags, [], config.prefix);
  await using world = await openDeadLetterWorld(config);
  const newest = new Newest(flags.limit);
  await scanLetters(world, filter, (letters) => {
    for (const found of letters) if (flags.all === true || isOpen(found.receipt)) newest.add(found);
  });
  const rows = newest.rows();
  const document = { matched: newest.matched, counts: Object.fromEntries(countsOf(newest)), letters: rows };
  answer(terminal, flags, document, describeList(newest));
}

async function show(text: string, flags: JsonFlag, terminal: Terminal): Promise<void> {
  const config = loadConfig(terminal.environment);
  const place = parsePlace(text, config.prefix);
  await using world = await openDeadLetterWorld(config);
  const found: FoundLetter[] = [];
  await scanLetters(world, filterOf({}, [place], config.prefix), (letters) => {
    found.push(...letters);
  });
  const [only] = found;
  if (only === undefined) throw new CommandFailed(`There is no ${placeText(place)}, or no longer.`);
  const read = await readValue(only.letter, world.codec);
  answer(terminal, flags, documentOf(only, read), pageOf(only, read));
}

async function redrive(letters: readonly string[], flags: RedriveFlags, terminal: Terminal): Promise<void> {
  const config = loadConfig(terminal.environment);
  const filter = filterFor(letters, flags, config);
  await using world = await openDeadLetterWorld(config);
  const retentions = await world.retentions([...new Set(filter.topics.map(sourceTopic))]);
  const rules = {
    time: flags.time,
    force: flags.force === true,
    again: flags.again === true,
    retentionMs: (topic: string) => retentions.get(topic) ?? 0,
  };
  await work(world, filter, flags, terminal, rules);
}

async function discard(letters: readonly string[], flags: WorkFlags, terminal: Terminal): Promise<void> {
  const config = loadConfig(terminal.environment);
  const filter = filterFor(letters, flags, config);
  await using world = await openDeadLetterWorld(config);
  await work(world, filter, flags, terminal, null);
}

const filterFor = (letters: readonly string[], flags: FilterFlags, { prefix }: Config): LetterFilter =>
  filterOf(
    flags,
    letters.map((text) => parsePlace(text, prefix)),
    prefix,
  );

/** Scans and works; a signal ends it after the letters in hand, a failure is told after what was done before it. */
async function work(
  world: DeadLetterWorld,
  filter: LetterFilter,
  flags: WorkFlags & Partial<RedriveFlags>,
  terminal: Terminal,
  rules: ConstructorParameters<typeof DeadLetterWork>[2],
): Promise<void> {
  const dryRun = flags.yes !== true;
  const action = rules === null ? 'discard' : 'redrive';
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort();
  const audit = createLog('info', { write: (line) => terminal.err(line) });
  const ports = { receipts: world.receipts, emitter: world.emitter, clock: { now: Date.now }, rest, audit };
  const { max, perSecond = PER_SECOND_MAX, again = false, note = '' } = flags;
  const stamp = { by: flags.by ?? whoami(), run: randomBytes(8).toString('hex'), note };
  const options = { dryRun, max, perSecond, again, stamp, signal: interrupt.signal };
  const working = new DeadLetterWork(ports, options, rules);
  terminal.signals.on('SIGINT', stop);
  terminal.signals.on('SIGTERM', stop);
  try {
    await scanLetters(world, filter, working.onLetters, interrupt.signal);
  } catch (error) {
    if (!dryRun)
      terminal.err(`${working.count} were ${action === 'redrive' ? 'redriven' : 'discarded'} before this:\n`);
    throw error;
  } finally {
    terminal.signals.off('SIGINT', stop);
    terminal.signals.off('SIGTERM', stop);
  }
  const summary = summaryOf(working.done, { action, dryRun, interrupted: interrupt.signal.aborted });
  if (summary.interrupted) terminal.exitCode = 1;
  else if (dryRun && summary.letters > 0) terminal.exitCode = 2;
  answer(terminal, flags, summary, describeWork(summary));
}

function several(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').map((each) => each.trim())];
}
