import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replay, type ReplaySummary } from '../../processors/cli/replay-run.ts';
import type { Definitions } from '../../processors/core/definitions.ts';
import { loadDefinitions, shippedDefinitions } from '../../processors/definitions/load.ts';
import type { Interaction } from '../../schemas/types.ts';
import type { OutgoingRecord } from '../../processors/runtime/ports.ts';
import { simulateShop, type ShopRecord } from '../../processors/simulation/shop.ts';
import { writeInteractions, type LoggedInteraction } from './interactions.ts';
import type { PipelinePlace } from './pipeline-place.ts';

const INPUT = 'interactions.v1';
const DAY_MS = 86_400_000;

/** What a simulated shop logs, and what a replay of it gives. */
export interface ShopInput extends AsyncDisposable {
  readonly records: readonly ShopRecord[];
  /** Records that are no interaction: bytes that cannot stand in a replay's file. */
  readonly raw: number;
  readonly definitions: Definitions;
  /** The latest record time. */
  readonly until: number;
  readonly summary: ReplaySummary;
  /** Where the replay's files are. */
  readonly replayed: string;
}

export interface Shop {
  readonly seed: number;
  readonly customers: number;
  readonly days: number;
}

/** The first `count` records of a shop under the shipped definitions, replayed. */
export async function shopInput({ count, ...shop }: Shop & { readonly count?: number }): Promise<ShopInput> {
  return replayedInput(nextRecords(shopRecords(shop), count ?? Number.POSITIVE_INFINITY));
}

/**
 * What a shop logs, in order, each event under the strongest of its identifiers alone. What goes from one customer to another
 * through two partitions arrives earlier or later among other records, so only final documents could be compared: that is for
 * tests of links (`linkedShopRecords`).
 */
export function* shopRecords(shop: Shop): Generator<ShopRecord> {
  for (const record of linkedShopRecords(shop)) {
    yield record.kind === 'raw' ? record : { ...record, value: underOneIdentifier(record.value) };
  }
}

/** What a shop logs, in order. */
export function linkedShopRecords({ seed, customers, days }: Shop): Iterable<ShopRecord> {
  const from = Date.UTC(2026, 0, 5);
  return simulateShop({ seed, customers, from, to: from + days * DAY_MS });
}

function underOneIdentifier(value: Interaction): Interaction {
  if (value.userId !== null) return { ...value, emailHash: null, anonymousId: null };
  return value.emailHash === null ? value : { ...value, anonymousId: null };
}

/** The next `count` records, or as many as there are. */
export function nextRecords(source: Iterator<ShopRecord>, count: number): ShopRecord[] {
  const records: ShopRecord[] = [];
  while (records.length < count) {
    const next = source.next();
    if (next.done === true) break;
    records.push(next.value);
  }
  return records;
}

/** These records, replayed under the shipped definitions. */
export async function replayedInput(records: readonly ShopRecord[]): Promise<ShopInput> {
  const interactions = records.filter(
    (record): record is ShopRecord & LoggedInteraction => record.kind === 'interaction',
  );
  const folder = await mkdtemp(join(tmpdir(), 'kizuna-shop-'));
  const file = join(folder, 'interactions.ndjson');
  const replayed = join(folder, 'replayed');
  await writeInteractions(file, interactions);
  const definitions = await loadDefinitions(shippedDefinitions);
  const until = records.reduce((latest, { timestamp }) => Math.max(latest, timestamp), 0);
  const summary = await replay({ file, to: replayed, definitions, until });
  return {
    ...{ records, raw: records.length - interactions.length, definitions, until, summary, replayed },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Produces these records, in order. */
export async function produceShop(
  { codec, emitter }: Pick<PipelinePlace, 'codec' | 'emitter'>,
  records: readonly ShopRecord[],
): Promise<void> {
  const outgoing = records.map((record): OutgoingRecord => {
    const value = record.kind === 'raw' ? record.bytes : codec.encode(INPUT, record.value);
    return { topic: INPUT, key: Buffer.from(record.key), value, timestamp: record.timestamp, headers: {} };
  });
  for (let from = 0; from < outgoing.length; from += 2_000) await emitter.send(outgoing.slice(from, from + 2_000));
}
