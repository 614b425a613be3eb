import type { Command } from 'commander';
import { historyAnswer } from '../api/answers.ts';
import { ConfigurationError } from '../core/errors.ts';
import type { Instant } from '../core/processor.ts';
import type { CustomerHistory } from '../customer/history-view.ts';
import type { HistoryChange } from '../customer/history-packing.ts';
import { loadConfig } from '../runtime/config.ts';
import { loadCustomer } from './customer-stored.ts';
import { timeText } from './dlq-text.ts';
import { parseInstant } from './replay.ts';
import { answer, columns, JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';
import { wholeNumber } from './whole-number.ts';

interface HistoryFlags extends JsonFlag {
  readonly at?: Instant;
  readonly limit: number;
}

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 1_000;

export function addCustomerHistory(customer: Command, terminal: Terminal): void {
  customer
    .command('history')
    .description(
      'tell which segments the customer was in, the churn risk, stage, lifecycle and tier, at any instant that is remembered',
    )
    .argument('<brand>')
    .argument('<customer>')
    .option('--at <time>', 'what was then, too (ISO 8601 with a zone)', parseInstant)
    .option('--limit <n>', 'show the newest n changes', wholeNumber(LIMIT_MAX), LIMIT_DEFAULT)
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nWhat was published, with its cause: the last 200 changes at least, up to 365 days back. Changes after the last event of the\n' +
        'customer are those of silence. Read from the stored document, which follows the topics by a second or so.\n\n' +
        'Example:\n  $ kizuna customer history demo u:42 --at 2026-05-01T00:00:00Z',
    )
    .action(async (brand: string, id: string, flags: HistoryFlags) => {
      const { key, state, customer: processor, asOf } = await loadCustomer(loadConfig(terminal.environment), brand, id);
      const history = processor.history(state, Math.max(Date.now(), asOf));
      const at = flags.at ?? null;
      if (at !== null) requireReached(history, key, at);
      const document = historyAnswer(key, history, at, flags.limit);
      answer(terminal, flags, document, historyText(key, history, at, flags.limit));
    });
}

function requireReached({ since, until }: CustomerHistory, key: string, at: Instant): void {
  if (at >= since && at <= until) return;
  const message =
    at < since
      ? `is before the history of ${key} begins, ${timeText(since)}`
      : `is later than now, ${timeText(until)}: \`kizuna customer explain\` tells what silence will change`;
  throw new ConfigurationError([{ where: '--at', message }]);
}

function historyText(key: string, history: CustomerHistory, at: Instant | null, limit: number): string {
  const { asOf, since, changes } = history;
  const facts = [
    ['customer', key],
    ['history', `from ${timeText(since)}, last event or deadline ${timeText(asOf)}`],
  ];
  if (at !== null) {
    const churn = history.churnAt(at);
    facts.push(
      ['at', timeText(at)],
      ['segments', history.membershipsAt(at)?.join(', ') || 'none'],
      ['churn risk', churn === null ? 'none published' : `${churn.band} ${churn.probability.toFixed(4)}`],
      ...(['stage', 'lifecycle', 'tier'] as const).flatMap((kind) => {
        const label = history.labelAt(kind, at);
        return label === null ? [] : [[kind, label]];
      }),
    );
  }
  const shown = changes.toReversed().slice(0, limit);
  const rows = shown.map((change) => [timeText(change.at), change.cause.toLowerCase(), changeText(change)]);
  const left = changes.length - shown.length;
  const older = left > 0 ? `\n${left} older ${left === 1 ? 'change' : 'changes'}: see --limit` : '';
  return [columns(facts), columns(rows) + older].filter((part) => part !== '').join('\n\n');
}

function changeText(change: HistoryChange): string {
  if (change.kind === 'churn') return `churn risk ${change.probability.toFixed(4)}`;
  if (change.kind !== 'memberships') return `${change.kind} ${change.from ?? 'none'} → ${change.to ?? 'none'}`;
  return change.changes.map((each) => (each.change === 'ENTERED' ? '+' : '-') + each.segmentId).join(' ');
}
