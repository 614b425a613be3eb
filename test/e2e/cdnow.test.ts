import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { replay, type ReplaySummary } from '../../processors/cli/replay-run.ts';
import type { Definitions } from '../../processors/core/definitions.ts';
import { loadDefinitions } from '../../processors/definitions/load.ts';
import {
  cdnowIsThere,
  purchaseInteraction,
  readPurchases,
  writeCdnowDefinitions,
  type Purchase,
} from '../harness/cdnow.ts';
import { produceInteractions, writeInteractions, type LoggedInteraction } from '../harness/interactions.ts';
import { accountsOf, gaugeBy, scrape } from '../harness/metrics-text.ts';
import { pipelinePlace } from '../harness/pipeline-place.ts';
import { comparePublished } from '../harness/published-lines.ts';
import { sweepTo, untilStored } from '../harness/running-pipeline.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { storedCustomers, type StoredCustomer } from '../harness/stored-customers.ts';
import { topicRanges, untilFolded } from '../harness/topic-records.ts';

const present = cdnowIsThere('the pipeline is not held to the CDNOW customers');
const SEGMENTS = ['active-buyers', 'repeat-buyers', 'big-spenders', 'lapsing-buyers', 'high-churn-risk'];
const OUTPUTS = ['segment-memberships.v1', 'churn-risk.v1', 'customer-traits.v1'];
const DEAD_LETTERS = ['interactions.v1.kizuna.intake.v1.dlq', 'customer-events.v1.kizuna.customer.v1.dlq'];

/** The record's time is the day of the purchase, whatever the order: for each customer it never goes back. */
function logged(purchase: Purchase): LoggedInteraction {
  return { key: purchase.customer, timestamp: purchase.at, value: purchaseInteraction(purchase) };
}

interface Counted {
  orders: number;
  revenue: number;
  lastOrderAt: number;
}

function countDirectly(purchases: readonly Purchase[]): Record<string, Counted> {
  const counts: Record<string, Counted> = {};
  for (const { customer, at, cents } of purchases) {
    const count = (counts[`cdnow|u:${customer}`] ??= { orders: 0, revenue: 0, lastOrderAt: 0 });
    count.orders += 1;
    count.revenue += cents;
    count.lastOrderAt = Math.max(count.lastOrderAt, at);
  }
  return counts;
}

function countStored(stored: readonly StoredCustomer[]): Record<string, Counted> {
  return Object.fromEntries(
    stored.map(({ key, profile: { traits }, lastOrderAt }) => [
      key,
      { orders: traits.orders.lifetime, revenue: traits.revenue.lifetime, lastOrderAt },
    ]),
  );
}

/** Members by segment and customers by churn band, counted one by one. */
function totalsOf(stored: readonly StoredCustomer[]): { members: object; bands: object } {
  const members: Record<string, number> = {};
  const bands: Record<string, number> = {};
  for (const { summary } of stored) {
    for (const segment of summary.segments) members[segment] = (members[segment] ?? 0) + 1;
    const band = summary.churn?.band ?? 'INSUFFICIENT_DATA';
    bands[band] = (bands[band] ?? 0) + 1;
  }
  return { members, bands };
}

const withoutZeros = (counts: Readonly<Record<string, number>>): object =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));

describeWithServices('the purchases of the CDNOW customers, through Kafka and MongoDB in record time', () => {
  describe.runIf(present)('equal a direct count of the file, and its replay', () => {
    let folder = '';
    let definitions: Definitions;
    let purchases: readonly Purchase[] = [];
    let summary: ReplaySummary;
    let until = 0;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'kizuna-cdnow-'));
      await writeCdnowDefinitions(join(folder, 'definitions'), SEGMENTS);
      definitions = await loadDefinitions(join(folder, 'definitions'));
      purchases = readPurchases();
      until = Math.max(...purchases.map(({ at }) => at));
      const file = join(folder, 'purchases.ndjson');
      await writeInteractions(file, purchases.map(logged));
      summary = await replay({ file, to: join(folder, 'replayed'), definitions, until: null });
    }, 60_000);
    afterAll(() => rm(folder, { recursive: true, force: true }));

    test('which folds every line', () => {
      expect(purchases).toHaveLength(69_659);
      expect(summary).toMatchObject({ records: 69_659, applied: 69_659, skipped: {}, rejected: {}, customers: 23_570 });
    });

    test.each([
      ['in the order of time', (all: readonly Purchase[]) => all.toSorted((a, b) => a.at - b.at)],
      ['in the order of the file, by customer', (all: readonly Purchase[]) => all],
    ])('%s', { timeout: 120_000 }, async (_, ordered) => {
      await using place = await pipelinePlace('cdnow', { time: 'record', definitions: join(folder, 'definitions') });
      const expected = countDirectly(purchases);
      const started = performance.now();
      const seconds = (): string => ((performance.now() - started) / 1000).toFixed(1);
      const times: string[] = [];
      let heldBack: Set<string>;
      {
        await using kizuna = await place.start();
        await produceInteractions(place, ordered(purchases).map(logged));
        times.push(`produced ${seconds()}`);
        await untilFolded(place, purchases.length, { withinMs: 60_000, failed: kizuna.pipeline.failed });
        times.push(`folded ${seconds()}`);
        await untilStored(kizuna, 30_000);
        times.push(`stored ${seconds()}`);

        const metrics = await scrape(kizuna.url);
        const accounts = { consumed: 69_659, outcomes: { applied: 69_659 }, missing: 0 };
        const untouched = { consumed: 0, outcomes: {}, missing: 0 };
        expect(accountsOf(metrics)).toEqual({
          intake: accounts,
          customer: accounts,
          touchpoint: untouched,
          brand: expect.objectContaining({ missing: 0 }) as unknown,
          experiment: untouched,
        });
        const counted = totalsOf(await storedCustomers(place, definitions, until));
        expect(withoutZeros(gaugeBy(metrics, 'kizuna_segment_members', 'segment'))).toEqual(counted.members);
        expect(withoutZeros(gaugeBy(metrics, 'kizuna_customers', 'churn_band'))).toEqual(counted.bands);

        await sweepTo(kizuna, until);
        times.push(`swept ${seconds()}`);
        await untilStored(kizuna, 30_000);
        times.push(`stored ${seconds()}`);
        const stored = await storedCustomers(place, definitions, until);
        expect(stored).toHaveLength(23_570);
        expect(countStored(stored)).toEqual(expected);
        heldBack = new Set(stored.filter(({ holdsTraits }) => holdsTraits).map(({ key }) => key));
        times.push(`compared ${seconds()}`);
      }
      for (const topic of DEAD_LETTERS) {
        for (const { start, end } of await topicRanges(place, topic)) expect(end - start).toBe(0);
      }
      for (const topic of OUTPUTS) {
        const compared = await comparePublished(place, topic, join(folder, 'replayed'), { heldBack, until });
        const heldHere = topic === 'customer-traits.v1' ? heldBack.size : 0;
        expect(compared).toEqual({
          records: (summary.outputs[topic] ?? 0) - heldHere,
          repeats: 0,
          missing: [],
          unexpected: [],
        });
      }
      times.push(`outputs compared ${seconds()}`);
      process.stdout.write(`CDNOW ${_}: ${times.join(', ')} (s)\n`);
    });
  });
});
