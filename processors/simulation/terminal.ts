import type { Evidence, SegmentMembershipsChanged } from '../../schemas/types.ts';
import type { Instant } from '../core/processor.ts';
import { brandWords, weekWords } from './brand-lines.ts';
import { cut, displayWidth, fit, printable } from './display-width.ts';
import { experimentLines } from './experiment-lines.ts';
import { HOUR_MS } from './rhythm.ts';
import type { OutcomeCounts, ShopSummary } from './summary.ts';
import { caseWords, touchpointLines } from './touchpoint-lines.ts';
import { triggerLines } from './trigger-lines.ts';

export interface RenderOptions {
  readonly columns: number;
  readonly colour: boolean;
}

type Style = 'bold' | 'dim' | 'good' | 'fair' | 'bad' | 'bar';
const STYLE_CODES: Readonly<Record<Style, number>> = { bold: 1, dim: 2, good: 32, fair: 33, bad: 31, bar: 36 };
const BAND_STYLES: Readonly<Record<string, Style>> = { LOW: 'good', MEDIUM: 'fair', HIGH: 'bad' };
const CHANGE_LINES = 8;
const NAME_COLUMNS = 22;
const TOKYO_MS = 9 * HOUR_MS;

const count = (value: number) => Math.round(value).toLocaleString('en-US');
const tokyo = (at: Instant) => new Date(at + TOKYO_MS).toISOString().slice(0, 16).replace('T', ' ');

/** The whole summary as lines of at most `columns`; without colour it holds no control characters at all. */
export function renderSummary(summary: ShopSummary, { columns, colour }: RenderOptions): string {
  const paint = (text: string, style: Style) => (colour ? `\u001b[${STYLE_CODES[style]}m${text}\u001b[0m` : text);
  const heading = (text: string) => paint(cut(text, columns), 'bold');
  const bars = (rows: readonly BarRow[]) => barLines(rows, columns, paint);
  const lines = [
    heading(`Kizuna: a simulated shop on ${servicesLine(summary)}`),
    cut(clockLine(summary), columns),
    cut(countsLine(summary), columns),
    '',
    heading('Members by segment'),
    ...bars(summary.segments.map(({ name, members }) => ({ name, value: members, style: 'bar' }))),
    '',
    heading('Customers by churn risk'),
    ...bars(
      summary.churn.map(({ band, customers }) => ({ name: band, value: customers, style: BAND_STYLES[band] ?? 'dim' })),
    ),
    '',
    heading('The brand over a year'),
    ...wrapped(brandWords(summary.kpis), columns),
    '',
    heading('The brand over a week'),
    ...wrapped(weekWords(summary.weekKpis), columns),
    '',
    heading('Triggers'),
    ...triggerLines(summary.triggers).map((line) => cut(line, columns)),
    '',
    heading('Touchpoints: answers of 30 days'),
    ...touchpointLines(summary.touchpoints).map((line) => cut(line, columns)),
    '',
    heading('Cases'),
    ...wrapped(caseWords(summary.cases), columns),
    '',
    heading('Experiments'),
    ...experimentLines(summary.experiments).map((line) => cut(line, columns)),
    '',
    heading('Records by outcome'),
    ...summary.outcomes.flatMap((counts) => wrapped(outcomeWords(counts), columns)),
    '',
    heading('Last changes'),
    ...changeLines(summary.changes)
      .slice(0, CHANGE_LINES)
      .map((line) => cut(line, columns)),
  ];
  return lines.join('\n');
}

/** The summary in one line, for a log file. */
export function renderLine(summary: ShopSummary): string {
  const churn = summary.churn.map(({ band, customers }) => `${band} ${count(customers)}`).join(' ');
  return `${tokyo(summary.simulatedAt)} JST  ${count(summary.events)} events, ${count(summary.eventsPerSecond)}/s, ${count(summary.customers)} customers, churn ${churn}`;
}

function servicesLine({ services }: ShopSummary): string {
  if (services.length === 0) return 'the embedded log and store: nothing is kept';
  return services.map(printable).join(', ');
}

function clockLine({ simulatedAt, elapsedSeconds, live }: ShopSummary): string {
  const pace = live ? 'live: simulated time is the present' : 'a year passes';
  return `${tokyo(simulatedAt)} JST  ${pace}  (after ${count(elapsedSeconds)} s)`;
}

function countsLine({ events, eventsPerSecond, customers, metricsAddress }: ShopSummary): string {
  const metrics = metricsAddress === null ? '' : `  metrics ${metricsAddress}`;
  return `${count(eventsPerSecond)} events/s  ${count(events)} events  ${count(customers)} customers${metrics}`;
}

interface BarRow {
  readonly name: string;
  readonly value: number;
  readonly style: Style;
}

/** `name  1,234 ████`: bars share one scale and take what is left of the line. */
function barLines(rows: readonly BarRow[], columns: number, paint: (text: string, style: Style) => string): string[] {
  const most = Math.max(1, ...rows.map(({ value }) => value));
  const numberColumns = Math.max(5, ...rows.map(({ value }) => count(value).length));
  const nameColumns = Math.max(4, Math.min(NAME_COLUMNS, columns - numberColumns - 4));
  const barColumns = Math.max(0, Math.min(50, columns - nameColumns - numberColumns - 4));
  return rows.map(({ name, value, style }) => {
    const length = Math.ceil((value / most) * barColumns);
    const text = `  ${fit(printable(name), nameColumns)} ${count(value).padStart(numberColumns)}`;
    return length === 0 ? text : `${text} ${paint('█'.repeat(length), style)}`;
  });
}

function outcomeWords({ processor, applied, replayed, skipped, rejected }: OutcomeCounts): string[] {
  return [
    `  ${processor}: applied ${count(applied)}`,
    `replayed ${count(replayed)}`,
    ...outcomeGroup('skipped', skipped),
    ...outcomeGroup('rejected', rejected),
  ];
}

/** `skipped 3 (unknown_type 2, erased 1)`, as words that may be put on lines. */
function outcomeGroup(word: string, counts: OutcomeCounts['skipped']): string[] {
  const reasons = Object.entries(counts).filter(([, records]) => records > 0);
  const total = `${word} ${count(reasons.reduce((sum, [, records]) => sum + records, 0))}`;
  return [total, ...reasons.map(([reason, records]) => `${reason} ${count(records)}`)].map((text, index, words) => {
    const opened = index === 1 ? `(${text}` : text;
    if (index === 0) return opened;
    return index === words.length - 1 ? `${opened})` : `${opened},`;
  });
}

/** Words side by side, as many as a line holds; what follows is indented. */
function wrapped(words: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && displayWidth(longer) > columns) {
      lines.push(line);
      line = `    ${word}`;
    } else {
      line = longer;
    }
  }
  return [...lines, line].map((text) => cut(text, columns));
}

/** One line for each segment entered or left: who, what, why. */
function changeLines(records: readonly SegmentMembershipsChanged[]): string[] {
  return records.flatMap(({ occurredAt, customerId, cause, changes }) =>
    changes.map(({ segmentId, change, evidence }) => {
      const reasons = evidence.map(evidenceText).join(', ');
      const who = fit(printable(customerId), 10);
      return `  ${tokyo(occurredAt)} ${who} ${change.toLowerCase().padEnd(7)} ${fit(printable(segmentId), 18)} ${cause.padEnd(5)} ${reasons}`;
    }),
  );
}

function evidenceText({ path, value, comparison }: Evidence): string {
  const held = value === null ? 'missing' : JSON.stringify(value);
  return printable(`${path} is ${held} ${comparison}`);
}
