import { InvalidArgumentError, type Command } from 'commander';
import { loadDefinitions, shippedDefinitions } from '../definitions/load.ts';
import { replay, type ReplaySummary } from './replay-run.ts';

interface ReplayFlags {
  readonly to: string;
  readonly definitions: string;
  readonly until?: number;
  readonly json?: true;
}

/** How many refused lines are named; the rest are counted. */
const REFUSED_SHOWN = 5;
const PROGRESS_EVERY_MS = 1_000;

export function addReplay(program: Command): void {
  program
    .command('replay')
    .description(
      'fold a file of interactions by the very same processors, in record time, and write everything that comes out',
    )
    .argument('<file>', 'one JSON interaction a line; `timestamp` (default occurredAt) is the record time')
    .requiredOption('--to <dir>', 'where the outputs go: <topic>.ndjson, dead-letters, profiles and summary.json')
    .option(
      '--definitions <dir>',
      'segments, churn models, brands, surveys, touchpoint settings and experiments',
      shippedDefinitions,
    )
    .option(
      '--until <time>',
      'fold and let time pass up to here, inclusive (ISO 8601; default: the last record)',
      parseInstant,
    )
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', '\nExample:\n  $ kizuna replay interactions.ndjson --to out --until 1997-09-30T00:00Z')
    .action(async (file: string, flags: ReplayFlags) => {
      const started = performance.now();
      const definitions = await loadDefinitions(flags.definitions);
      const progress = new LineProgress();
      const summary = await replay({ file, to: flags.to, definitions, until: flags.until ?? null, ...progress });
      const seconds = (performance.now() - started) / 1000;
      const lines = summary.records + summary.afterUntil;
      progress.end(`${lines} lines in ${seconds.toFixed(1)} s, ${Math.round(lines / seconds)} a second`);
      process.stdout.write(flags.json ? `${JSON.stringify(summary)}\n` : describe(summary, flags.to));
    });
}

/** An instant as ISO 8601 with a zone, as ms since the epoch. */
export function parseInstant(text: string): number {
  const time = Date.parse(text);
  if (!Number.isFinite(time) || !/(Z|[+-]\d{2}:?\d{2}|^\d{4}-\d{2}-\d{2})$/.test(text)) {
    throw new InvalidArgumentError('not a time like 1997-09-30T00:00:00Z');
  }
  return time;
}

/** Lines read so far, on stderr: rewritten in place on a terminal, a line a second elsewhere. */
class LineProgress {
  #shownAt = performance.now();
  #refused = 0;

  readonly progress = (lines: number): void => {
    const now = performance.now();
    if (now - this.#shownAt < PROGRESS_EVERY_MS) return;
    this.#shownAt = now;
    process.stderr.write(process.stderr.isTTY ? `\r${lines} lines folded` : `${lines} lines folded\n`);
  };

  readonly refused = (line: number, fault: string): void => {
    this.#refused += 1;
    if (this.#refused <= REFUSED_SHOWN) process.stderr.write(`line ${line}: ${fault}: to the dead letters\n`);
  };

  end(message: string): void {
    if (this.#refused > REFUSED_SHOWN)
      process.stderr.write(`and ${this.#refused - REFUSED_SHOWN} more lines like these\n`);
    process.stderr.write(`${process.stderr.isTTY ? '\r' : ''}${message}\n`);
  }
}

function describe(summary: ReplaySummary, folder: string): string {
  const reasons = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([reason, records]) => ` ${reason} ${records}`)
      .join(',') || ' none';
  return [
    `records    ${summary.records}${summary.afterUntil > 0 ? ` (${summary.afterUntil} more after --until)` : ''}`,
    `applied    ${summary.applied}`,
    `skipped   ${reasons(summary.skipped)}`,
    `rejected  ${reasons(summary.rejected)}`,
    `customers  ${summary.customers}`,
    ...Object.entries(summary.outputs).map(([topic, records]) => `${topic}  ${records}`),
    `written to ${folder}`,
    '',
  ].join('\n');
}
