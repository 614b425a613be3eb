import { REFUSED_MEANING, type Refused } from './dlq-plan.ts';
import { placeOf } from './dlq-letter.ts';
import type { FoundLetter } from './dlq-scan.ts';
import type { WorkDone } from './dlq-work.ts';
import { printable, timeText } from './dlq-text.ts';
import { columns } from './terminal.ts';

const KEY_WIDTH = 40;
const MESSAGE_WIDTH = 120;

/** A letter as a list shows it: what a table needs, and never the value. */
export interface ListedLetter {
  readonly letter: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly time: string;
  readonly reason: string;
  readonly stage: string;
  readonly message: string;
  readonly key: string;
  readonly redrives: number;
  readonly origin: object | null;
  /** `open`, or what was done with it. */
  readonly status: string;
}

/** The newest letters of any number of them, and how many there are by reason: memory for `limit` letters, not for all. */
export class Newest {
  readonly counts = new Map<string, number>();
  matched = 0;
  readonly #limit: number;
  #kept: { readonly time: number; readonly row: ListedLetter }[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(found: FoundLetter): void {
    const { letter } = found;
    this.matched += 1;
    this.counts.set(letter.reason, (this.counts.get(letter.reason) ?? 0) + 1);
    this.#kept.push({ time: letter.time, row: listed(found) });
    if (this.#kept.length >= 2 * this.#limit + 100) this.#cut();
  }

  /** Oldest first. */
  rows(): readonly ListedLetter[] {
    this.#cut();
    return this.#kept.map(({ row }) => row);
  }

  #cut(): void {
    this.#kept.sort((a, b) => a.time - b.time || byPlace(a.row, b.row));
    this.#kept = this.#kept.slice(Math.max(0, this.#kept.length - this.#limit));
  }
}

function byPlace(a: ListedLetter, b: ListedLetter): number {
  return a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition || a.offset - b.offset;
}

export function describeList(newest: Newest): string {
  const rows = newest.rows();
  if (rows.length === 0) return 'No dead letters.';
  const withStatus = rows.some(({ status }) => status !== 'open');
  const head = ['LETTER', 'TIME', 'REASON', 'REDRIVES', ...(withStatus ? ['STATUS'] : []), 'KEY', 'MESSAGE'];
  const table = rows.map(({ letter, time, reason, redrives, status, key, message }) => [
    ...[letter, time, reason, String(redrives), ...(withStatus ? [status] : [])],
    ...[cut(key, KEY_WIDTH), cut(message, MESSAGE_WIDTH)],
  ]);
  const counts = countsOf(newest).map(([reason, letters]) => [reason, String(letters)]);
  const shown =
    newest.matched > rows.length ? `The newest ${rows.length} of ${newest.matched}.` : `${newest.matched} in all.`;
  return `${columns([head, ...table])}\n\n${columns([['REASON', 'LETTERS'], ...counts])}\n${shown}`;
}

/** By number, most first. */
export function countsOf({ counts }: Newest): [string, number][] {
  return [...counts].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1));
}

export interface WorkSummary {
  readonly action: 'redrive' | 'discard';
  readonly dryRun: boolean;
  readonly interrupted: boolean;
  readonly letters: number;
  readonly taken: readonly { readonly reason: string; readonly target: string | null; readonly letters: number }[];
  readonly refused: Readonly<Partial<Record<Refused, number>>>;
  readonly before: number;
  readonly beyondMax: number;
}

export function summaryOf(
  { taken, refused, before, beyondMax }: WorkDone,
  run: Pick<WorkSummary, 'action' | 'dryRun' | 'interrupted'>,
): WorkSummary {
  const groups = [...taken.values()];
  const letters = groups.reduce((sum, group) => sum + group.letters, 0);
  return { ...run, letters, taken: groups, refused: Object.fromEntries(refused), before, beyondMax };
}

export function describeWork({ action, dryRun, interrupted, ...done }: WorkSummary): string {
  const { letters, taken, refused, before, beyondMax } = done;
  const lines: string[] = [];
  if (taken.length > 0) {
    const head = action === 'redrive' ? ['REASON', 'LETTERS', 'BACK TO'] : ['REASON', 'LETTERS'];
    lines.push(
      columns([
        head,
        ...taken.map((each) => [each.reason, String(each.letters), ...(each.target ? [each.target] : [])]),
      ]),
    );
  }
  for (const [why, count] of Object.entries(refused) as [Refused, number][]) {
    lines.push(`${count} left alone, ${why.replaceAll('_', ' ')}: ${REFUSED_MEANING[why]}.`);
  }
  if (before > 0) lines.push(`${before} done with before.`);
  if (beyondMax > 0) lines.push(`${beyondMax} more are beyond --max: run it again for them.`);
  const verb = action === 'redrive' ? 'redriven' : 'discarded';
  const noun = `${letters} dead letter${letters === 1 ? '' : 's'}`;
  if (interrupted) lines.push('Interrupted: run it again for the rest.');
  lines.push(
    dryRun ? (letters === 0 ? 'Nothing to do.' : `${noun} would be ${verb}; --yes does it.`) : `${noun} ${verb}.`,
  );
  return lines.join('\n');
}

function listed({ letter, receipt }: FoundLetter): ListedLetter {
  const { topic, partition, record, time, reason, stage, message, redrives, origin } = letter;
  return {
    letter: placeOf(letter),
    topic,
    partition,
    offset: record.offset,
    time: timeText(time),
    reason: printable(reason),
    stage: printable(stage),
    message: printable(message),
    key: printable(record.key),
    redrives,
    origin,
    status: receipt?.status ?? 'open',
  };
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}
