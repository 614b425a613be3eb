import { type Command } from 'commander';
import { ConfigurationError } from '../core/errors.ts';
import type { Instant } from '../core/processor.ts';
import { loadDefinitions, shippedDefinitions } from '../definitions/load.ts';
import { loadConfig, type Config } from '../runtime/config.ts';
import { activateGeneration, type Generation, type Generations } from '../runtime/definition-generations.ts';
import { openMongoStore } from '../runtime/mongo/store.ts';
import { commandLog, requireServices } from './connections.ts';
import { CommandFailed } from './failure.ts';
import { OutcomeMeter } from './outcome-meter.ts';
import { answer, columns, JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';
import { wholeNumber } from './whole-number.ts';

type ActivateFlags = JsonFlag & { readonly yes?: true };

const GENERATIONS_MAX = 1_000_000;

export function addDefinitionsGenerations(definitions: Command, terminal: Terminal): void {
  definitions
    .command('list')
    .description('list which sets of definitions came into use, and which one is active')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nThe set of KIZUNA_DEFINITIONS, else the shipped one, is marked.\n\nExample:\n  $ kizuna definitions list',
    )
    .action((flags: JsonFlag) => list(flags, terminal));
  definitions
    .command('activate')
    .description('go back to an earlier set: processes that have its files fold, all others wait')
    .argument('<generation>', 'its number, as `kizuna definitions list` tells it', wholeNumber(GENERATIONS_MAX))
    .option('--yes', 'do it; without it, only tell what would be done')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nThe set takes the next generation, and every customer is evaluated under it again. Start processes with its files\n' +
        'first: they wait until it is active, and those with other files leave their groups within a second or two then.\n' +
        'Exit code 2: without --yes, something would be done.\n\nExample:\n  $ kizuna definitions activate 4 --yes',
    )
    .action((generation: number, flags: ActivateFlags) => activate(generation, flags, terminal));
}

async function list(flags: JsonFlag, terminal: Terminal): Promise<void> {
  const config = loadConfig(terminal.environment);
  const { hash } = await loadDefinitions(config.definitionsFolder ?? shippedDefinitions);
  const all = await withGenerations(config, (generations) => generations.list());
  const active = all.at(-1) ?? null;
  const rows = all.map((each) => [
    ...[String(each.number), each.hash, timeOf(each.since)],
    [...(each === active ? ['active'] : []), ...(each.hash === hash ? ['these files'] : [])].join(', '),
  ]);
  const text =
    all.length === 0
      ? 'No set of definitions came into use yet: the first process brings one.'
      : columns([['GENERATION', 'HASH', 'SINCE', ''], ...rows]);
  const generations = all.map((each) => documentOf(each));
  answer(terminal, flags, { hash, active: active?.number ?? null, generations }, text);
}

async function activate(number: number, flags: ActivateFlags, terminal: Terminal): Promise<void> {
  const config = loadConfig(terminal.environment);
  await withGenerations(config, async (generations) => {
    const all = await generations.list();
    const active = all.at(-1);
    const wanted = all.find((each) => each.number === number);
    if (wanted === undefined || active === undefined) {
      const known = all.length === 0 ? 'there is none yet' : `there are 1 to ${all.length}`;
      throw new ConfigurationError([{ where: 'generation', message: `${number} was never in use: ${known}` }]);
    }
    const isThere = active.hash === wanted.hash;
    const done = !isThere && flags.yes === true;
    const now = done ? await activateGeneration(generations, number, Date.now()) : active;
    if (!isThere && !done) terminal.exitCode = 2;
    const from = `generation ${active.number} (${active.hash})`;
    const text = isThere
      ? `The set ${wanted.hash} is active already, as ${from}.`
      : done
        ? `The set ${wanted.hash} is active, as generation ${now?.number ?? ''}, after ${from}. Processes with other files wait.`
        : `Would take the set ${wanted.hash} into use again, after ${from}: processes with other files would wait, and where none\n` +
          'has its files nothing would be folded. Nothing was changed: --yes does it.';
    answer(terminal, flags, { activated: done, active: documentOf(now ?? active), was: documentOf(active) }, text);
  });
}

/** Throws CommandFailed unless these definitions are active or the first: what a command folds must not be folded otherwise a moment later. */
export async function refuseOtherDefinitions(generations: Generations, hash: string): Promise<void> {
  const active = await generations.newest();
  if (active === null || active.hash === hash) return;
  throw new CommandFailed(
    `Generation ${active.number} of definitions is active (${active.hash}), and KIZUNA_DEFINITIONS has ${hash}: use its files, ` +
      'or let `kizuna run` bring these into use first.',
  );
}

async function withGenerations<T>(config: Config, work: (generations: Generations) => Promise<T>): Promise<T> {
  const options = { ...requireServices(config).store, processors: [] };
  await using stack = new AsyncDisposableStack();
  const opened = await openMongoStore(options, commandLog(config), new OutcomeMeter());
  const { generations } = stack.adopt(opened, (each) => each.close());
  return await work(generations);
}

function documentOf({ number, hash, since }: Generation): { number: number; hash: string; since: string } {
  return { number, hash, since: timeOf(since) };
}

function timeOf(at: Instant): string {
  return new Date(at).toISOString();
}
