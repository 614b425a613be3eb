import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createIntake } from '../../processors/intake/processor.ts';
import type {
  ChurnRiskChanged,
  CustomerEvent,
  CustomerTraits,
  JourneyChanged,
  SegmentMembershipsChanged,
} from '../../schemas/types.ts';
import { linesOf } from '../harness/published-lines.ts';
import { replayedInput, shopRecords, type ShopInput } from '../harness/shop-input.ts';
import { isLongRun } from '../harness/test-settings.ts';
import { YearOracle, YearRules, type Happening } from './year-oracle.ts';

/** A year of the simulated shop: about 200,000 events in the long run, a tenth of them every day. */
const SHOP = { seed: 7, customers: isLongRun ? 1_050 : 105, days: 365 };
/** Every so manieth record of traits is held against sums of that instant. */
const TRAITS_APART = 20;

interface Row<Value> {
  readonly key: string;
  readonly value: Value | null;
}

async function rowsOf<Value>({ replayed }: ShopInput, topic: string): Promise<Row<Value>[]> {
  const rows: Row<Value>[] = [];
  for await (const line of linesOf(join(replayed, `${topic}.ndjson`))) rows.push(JSON.parse(line) as Row<Value>);
  return rows;
}

/** What each customer did, in the order of the log. The door, which has tests of its own, refuses what is no interaction. */
function happeningsOf(input: ShopInput): Map<string, Happening[]> {
  const intake = createIntake(input.definitions);
  const byKey = new Map<string, Happening[]>();
  for (const record of input.records) {
    if (record.kind !== 'interaction') continue;
    const outcome = intake.onRecord(record.value, record.timestamp, 'interactions.v1');
    for (const output of outcome.kind === 'apply' ? outcome.outputs : []) {
      if (output?.topic !== 'customer-events.v1' || output.key === null) continue;
      const { interaction } = output.value as CustomerEvent;
      if (interaction === null || interaction.type === 'UNKNOWN') continue;
      byKey.set(output.key, [...(byKey.get(output.key) ?? []), { now: record.timestamp, interaction }]);
    }
  }
  return byKey;
}

/** Lines by key, as the oracle words them. */
function worded<Value>(rows: readonly Row<Value>[], word: (value: Value) => string | null): Map<string, string[]> {
  const byKey = new Map<string, string[]>();
  for (const { key, value } of rows) {
    const text = value === null ? null : word(value);
    if (text !== null) byKey.set(key, [...(byKey.get(key) ?? []), text]);
  }
  return byKey;
}

test('every change of a simulated year, and windows at instants of it, are those of looking through everything again', async () => {
  await using input = await replayedInput([...shopRecords(SHOP)]);
  const memberships = worded(await rowsOf<SegmentMembershipsChanged>(input, 'segment-memberships.v1'), (value) => {
    const changes = value.changes.map(({ change, segmentId }) => (change === 'ENTERED' ? '+' : '-') + segmentId);
    return `${value.occurredAt} ${value.cause} ${changes.join(' ')} = ${value.members.join(' ')}`;
  });
  const bands = worded(await rowsOf<ChurnRiskChanged>(input, 'churn-risk.v1'), (value) => {
    const before = value.previousBand ?? '';
    return value.band === before ? null : `${value.occurredAt} ${value.cause} ${before} > ${value.band}`;
  });
  const journey = worded(
    await rowsOf<JourneyChanged>(input, 'journey-stages.v1'),
    ({ occurredAt, cause, axis, from, to }) => `${occurredAt} ${cause} ${axis} ${from ?? ''} > ${to}`,
  );
  const traits = new Map<string, CustomerTraits[]>();
  for (const [index, { key, value }] of (await rowsOf<CustomerTraits>(input, 'customer-traits.v1')).entries()) {
    if (value !== null && index % TRAITS_APART === 0) traits.set(key, [...(traits.get(key) ?? []), value]);
  }

  const rules = new YearRules(input.definitions, 'demo');
  const counts = { events: 0, memberships: 0, bands: 0, journey: 0, windows: 0 };
  for (const [key, happenings] of happeningsOf(input)) {
    const oracle = new YearOracle(rules);
    // Of several events at one millisecond, nobody can tell behind which of them traits were published.
    const isAlone = ({ occurredAt }: CustomerTraits): boolean =>
      happenings.filter(({ now }) => now === occurredAt).length <= 1;
    const samples = (traits.get(key) ?? []).filter(isAlone);
    for (const [index, happening] of happenings.entries()) {
      oracle.fold(happening);
      counts.events += 1;
      // Published with the event, or held back up to a minute: between this event and the next.
      const until = happenings[index + 1]?.now ?? Number.POSITIVE_INFINITY;
      while ((samples[0]?.occurredAt ?? Number.POSITIVE_INFINITY) < until) {
        const sample = samples.shift();
        if (sample !== undefined) counts.windows += expectWindows(oracle, sample, key);
      }
    }
    oracle.pass(input.until);
    const { told } = oracle;
    expect(memberships.get(key) ?? [], `memberships of ${key}`).toEqual(told.memberships);
    expect(bands.get(key) ?? [], `bands of ${key}`).toEqual(told.bands);
    expect(journey.get(key) ?? [], `journey of ${key}`).toEqual(told.journey);
    counts.memberships += told.memberships.length;
    counts.bands += told.bands.length;
    counts.journey += told.journey.length;
  }
  process.stdout.write(`${JSON.stringify(counts)}\n`);
  const least = isLongRun ? 10 : 1;
  expect(counts.events).toBeGreaterThan(15_000 * least);
  expect(counts.memberships).toBeGreaterThan(1_000 * least);
  expect(counts.bands).toBeGreaterThan(100 * least);
  expect(counts.journey).toBeGreaterThan(300 * least);
  expect(counts.windows).toBeGreaterThan(50_000 * least);
}, 600_000);

/** Every window of every measure, sessions too; answers how many. */
function expectWindows(oracle: YearOracle, { occurredAt, traits }: CustomerTraits, key: string): number {
  for (const { measure, last1h, last24h, last7d, last30d, last90d, last365d, lifetime } of traits) {
    const found = { last1h, last24h, last7d, last30d, last90d, last365d, lifetime };
    const expected = Object.fromEntries(
      Object.keys(found).map((name) => [name, oracle.sum(measure, name.replace('last', ''), occurredAt)]),
    );
    expect(found, `${measure} of ${key} at ${occurredAt}`).toEqual(expected);
  }
  return 7 * traits.length;
}
