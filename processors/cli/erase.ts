import type { Command } from 'commander';
import { ConfigurationError } from '../core/errors.ts';
import { isSubject } from '../intake/subject.ts';
import { loadConfig, type Config } from '../runtime/config.ts';
import { brandId } from './brand-argument.ts';
import { timeText } from './dlq-text.ts';
import { casesOf, customersOf, planErasure, type ErasurePlan, type FoundDocument } from './erase-plan.ts';
import { carryOut } from './erase-work.ts';
import { openErasureWorld, type ErasureWorld } from './erasure-world.ts';
import { whoami } from './operator.ts';
import { Progress } from './progress.ts';
import { answer, columns, JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';
import { wholeNumber } from './whole-number.ts';

interface EraseFlags extends JsonFlag {
  readonly yes?: true;
  readonly by?: string;
  readonly note?: string;
  readonly within: number;
}

const WITHIN_SECONDS_MAX = 86_400;

export function addErase(program: Command, terminal: Terminal): void {
  program
    .command('erase')
    .description('erase a customer under all identifiers; without --yes only tell what there is')
    .argument('<brand>', 'the brand', brandId)
    .argument('<customer>', 'one of the identifiers, with u:, e: or a: in front')
    .argument('[also...]', 'further identifiers of the same person that nothing links')
    .option('--yes', 'do it')
    .option('--by <name>', 'who does it, for the receipt (default: user@host)')
    .option('--note <text>', 'why, for the receipt; no personal data')
    .option('--within <seconds>', 'how long the pipeline may take', wholeNumber(WITHIN_SECONDS_MAX), 180)
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nFollows every link, orders the erasure on commands.v1, waits until `kizuna run` has carried it out, looks again for\n' +
        'what was linked meanwhile, takes what journals still hold, and writes a receipt that names nobody (KIZUNA_ERASURE_KEY). Nothing undoes it; the same command again does no\n' +
        'harm. What Kafka keeps goes by its retention: `kizuna verify-erasure` tells. Without --yes the exit code is 2 when\n' +
        'something would be erased or a receipt has no end, else 0: also of somebody of whom nothing is stored.\n\nExamples:\n  $ kizuna erase demo u:42\n  $ kizuna erase demo u:42 --note "request 4711" --yes',
    )
    .action((brand: string, customer: string, also: readonly string[], flags: EraseFlags) =>
      erase(brand, subjectsGiven([customer, ...also]), flags, terminal),
    );
}

/** Identifiers as they were typed, or a ConfigurationError. */
export function subjectsGiven(given: readonly string[]): string[] {
  const subjects = given.map((each) => (each.startsWith('e:') ? each.toLowerCase() : each));
  const faults = subjects
    .filter((subject) => !isSubject(subject))
    .map((subject) => {
      return { where: subject, message: 'is no identifier: u:, e: (a hash of 64 digits) or a: and what follows' };
    });
  if (faults.length > 0) throw new ConfigurationError(faults);
  return [...new Set(subjects)];
}

async function erase(brand: string, given: readonly string[], flags: EraseFlags, terminal: Terminal): Promise<void> {
  const config = loadConfig(terminal.environment);
  const erasureKey = flags.yes === true ? requireKey(config) : '';
  await using world = await openErasureWorld(config);
  const progress = new Progress(terminal);
  const often = (line: () => string): void => {
    progress.often(line);
  };
  if (flags.yes !== true) {
    const plan = await planErasure(world, { brand, given, erasureKey: config.erasureKey }, often);
    const { subjects, cases, open } = plan;
    const found = await look(world, plan);
    if (found.left > 0 || open.length > 0) terminal.exitCode = 2;
    const document = { dryRun: true, brand, subjects, cases, ...found, brokenOff: open.map(({ id }) => id) };
    answer(terminal, flags, document, describePlan(plan, found));
    return;
  }
  await world.codec.prepare(['commands.v1']);
  const { by = whoami(), note = '', within } = flags;
  const options = { erasureKey, by, note, timeoutMs: within * 1_000, now: Date.now, progress: often };
  const { plan, receipt, finished } = await carryOut(world, brand, given, options);
  const { id, counts, finishedAt } = receipt;
  const { subjects, cases } = plan;
  const also = finished.length === 0 ? '' : ` It finished ${finished.map((each) => each.id).join(', ')}, too.`;
  const text = `Erased ${subjects.join(', ')} of ${brand}. Receipt ${id} of ${timeText(finishedAt ?? 0)}.${also}`;
  const document = {
    dryRun: false,
    brand,
    subjects,
    cases,
    receipt: id,
    finished: finished.map((each) => each.id),
    counts,
  };
  answer(terminal, flags, document, `${columns(rowsOf(counts))}\n${text}`);
}

function requireKey({ erasureKey }: Config): string {
  if (erasureKey !== null) return erasureKey;
  const message = 'is missing: receipts name whom they are about by a hash with this key';
  throw new ConfigurationError([{ where: 'KIZUNA_ERASURE_KEY', message }]);
}

interface Looked {
  /** Every stored document that concerns them. */
  readonly documents: readonly FoundDocument[];
  /** Those that are not erased. */
  readonly left: number;
}

async function look(world: ErasureWorld, plan: ErasurePlan): Promise<Looked> {
  const documents = [...(await customersOf(world, plan)), ...(await casesOf(world, plan))];
  return { documents, left: documents.filter(({ isErased }) => !isErased).length };
}

function describePlan({ brand, subjects, open }: ErasurePlan, { documents, left }: Looked): string {
  const rows = documents.map(({ key, isErased, erasedAt }) => [
    key,
    isErased ? `erased at ${timeText(erasedAt)}` : 'to be erased',
  ]);
  const whole = `${subjects.join(', ')} of ${brand}`;
  const brokenOff = open.map(
    ({ id, orderedAt }) => `Receipt ${id} of ${timeText(orderedAt)} has no end: --yes finishes it.`,
  );
  const end =
    documents.length === 0
      ? `Nothing is stored of ${whole}. --yes refuses what may still come.`
      : left === 0
        ? `All is erased of ${whole}. \`kizuna verify-erasure\` looks everywhere.`
        : `Would erase what there is of ${whole}. Nothing was done: --yes does it.`;
  return [...(rows.length > 0 ? [columns(rows)] : []), ...brokenOff, end].join('\n');
}

function rowsOf(counts: Readonly<Record<string, number>>): string[][] {
  const names: Readonly<Record<string, string>> = {
    orders: 'orders given',
    customers: 'documents of customers erased',
    cases: 'documents of cases erased',
    states: 'older states taken from journals',
    outputs: 'outputs taken from journals',
  };
  return Object.entries(counts).map(([name, count]) => [names[name] ?? name, String(count)]);
}
