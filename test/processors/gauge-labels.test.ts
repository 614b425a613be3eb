import { expect, test } from 'vitest';
import { createProcessors, encodedTopics, topicDirectory } from '../../processors/catalog.ts';
import { SILENT_LOG } from '../../processors/cli/silent-log.ts';
import type { GaugeSample } from '../../processors/core/processor.ts';
import { loadDefinitions, shippedDefinitions } from '../../processors/definitions/load.ts';
import { embedServices } from '../../processors/runtime/embed.ts';
import { InProcess } from '../../processors/runtime/in-process.ts';
import { LABELS } from '../../processors/runtime/metrics-labels.ts';
import { METRIC_NAMES, metricRow } from '../../processors/runtime/metrics-table.ts';
import type { OwnedPartition } from '../../processors/runtime/owned-partition.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { LIMITS, RecordingMeter } from '../harness/runtime-fixture.ts';
import { linkedShopRecords } from '../harness/shop-input.ts';

const INPUT = 'interactions.v1';
/** What only those who work on cases bring about, or a change for the worse. */
const NOT_SEEN = new Set([
  'kizuna_case_reopenings',
  'kizuna_case_resolutions',
  'kizuna_case_resolve_seconds',
  'kizuna_touchpoint_alerts',
]);

test(
  'every value of a closed label that the totals of a simulated year name stands in its list',
  { timeout: 120_000 },
  async () => {
    const samples = await gaugesOfAYear();
    const strangers = new Set<string>();
    for (const { labels } of samples) {
      for (const [label, value] of Object.entries(labels)) {
        const values: string | readonly string[] = LABELS[label as keyof typeof LABELS];
        if (typeof values !== 'string' && !values.includes(value)) strangers.add(`${label}=${value}`);
      }
    }
    expect([...strangers]).toEqual([]);
    // Every gauge was looked at, and each closed label with more than one value.
    const seen = new Set(samples.map(({ name }) => `kizuna_${name}`));
    const declared = METRIC_NAMES.filter((name) => metricRow(name).fromTotals === true && !NOT_SEEN.has(name));
    expect(declared.filter((name) => !seen.has(name))).toEqual([]);
    for (const label of ['metric', 'answer', 'journey_stage', 'lifecycle', 'churn_band'] as const) {
      const values = new Set(samples.flatMap(({ labels }) => labels[label] ?? []));
      expect(values, label).toEqual(new Set(LABELS[label]));
    }
  },
);

async function gaugesOfAYear(): Promise<GaugeSample[]> {
  const clock = { now: () => 0 };
  await using services = await embedServices({ topics: TOPICS, partitions: 1, clock, keepRecords: 0 });
  const processors = createProcessors(await loadDefinitions(shippedDefinitions));
  await services.codec.prepare([INPUT, ...encodedTopics(processors)]);
  const owned = new Set<OwnedPartition>();
  const ports = { ...services, clock, meter: new RecordingMeter(), logger: SILENT_LOG, topics: topicDirectory };
  const chain = new InProcess(processors, { ...ports, limits: LIMITS, owned }, () => undefined);
  await chain.open();
  let block: Parameters<InProcess['feed']>[1][number][] = [];
  let until = 0;
  for (const record of linkedShopRecords({ seed: 3, customers: 150, days: 365 })) {
    if (record.kind === 'raw') continue;
    until = record.timestamp;
    const value = services.codec.encode(INPUT, record.value);
    block.push({ key: Buffer.from(record.key), value, timestamp: until, headers: {} });
    if (block.length < 500) continue;
    await chain.feed(INPUT, block);
    block = [];
  }
  await chain.feed(INPUT, block);
  await chain.end(until);
  return [...owned].flatMap(({ processor, totals }) => [...processor.totals.gauges(totals)]);
}
