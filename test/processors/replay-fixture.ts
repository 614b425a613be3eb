import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replay, type ReplaySummary } from '../../processors/cli/replay-run.ts';
import type { Definitions } from '../../processors/core/definitions.ts';

/** 2026-05-04T10:07:00Z, a Monday. */
export const START = Date.UTC(2026, 4, 4, 10, 7);

/** A line of the file: a page view of customer `u` at `at`, with `changes`. */
export function line(at: number, changes: object = {}): string {
  return JSON.stringify({
    eventId: `at-${at}`,
    brandId: 'acme',
    userId: 'u',
    occurredAt: at,
    channel: 'WEB',
    type: 'PAGE_VIEW',
    ...changes,
  });
}

/** The changes that make a line an order. */
export function order(orderId: string, amountMinor = 1000): object {
  const items: object[] = [];
  return {
    eventId: orderId,
    type: 'ORDER_PLACED',
    order: { orderId, amountMinor, currency: 'JPY', guest: false, items },
  };
}

export interface Replayed {
  readonly summary: ReplaySummary;
  /** Faults told while reading, by number of the line. */
  readonly faults: readonly string[];
  /** The text of each file written, by its name. */
  readonly files: Readonly<Record<string, string>>;
  /** The lines of `<name>.ndjson`, parsed. */
  rows<Row>(name: string): Row[];
}

export interface PublishedRow<Value> {
  readonly key: string | null;
  readonly value: Value;
  readonly timestamp: number;
  readonly position: string;
}

const FILES = [
  'segment-memberships.v1.ndjson',
  'churn-risk.v1.ndjson',
  'customer-traits.v1.ndjson',
  'journey-stages.v1.ndjson',
  'triggers.v1.ndjson',
  'identity-merges.v1.ndjson',
  'touchpoint-scores.v1.ndjson',
  'touchpoint-alerts.v1.ndjson',
  'cases.v1.ndjson',
  'brand-kpis.v1.ndjson',
  'experiment-results.v1.ndjson',
  'dead-letters.ndjson',
  'profiles.ndjson',
  'summary.json',
];

/** Replays these lines in a folder of their own. */
export async function replayed(
  lines: readonly (string | Buffer)[],
  definitions: Definitions,
  until: number | null = null,
  threads = false,
): Promise<Replayed> {
  const folder = await mkdtemp(join(tmpdir(), 'kizuna-replay-'));
  try {
    const file = join(folder, 'interactions.ndjson');
    await writeFile(file, Buffer.concat(lines.map((each) => Buffer.concat([Buffer.from(each), Buffer.from('\n')]))));
    const faults: string[] = [];
    const refused = (number: number, fault: string): void => void faults.push(`${number}: ${fault}`);
    const summary = await replay({ file, to: join(folder, 'out'), definitions, until, refused, threads });
    const files: Record<string, string> = {};
    for (const name of FILES) files[name] = await readFile(join(folder, 'out', name), 'utf8');
    return {
      summary,
      faults,
      files,
      rows: <Row>(name: string) =>
        (files[`${name}.ndjson`] ?? '')
          .split('\n')
          .filter((text) => text !== '')
          .map((text) => JSON.parse(text) as Row),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
