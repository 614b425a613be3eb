import { expect, test } from 'vitest';
import { loadDefinitions, shippedDefinitions } from '../../processors/definitions/load.ts';
import { simulateShop } from '../../processors/simulation/shop.ts';
import type { BrandKpi } from '../../schemas/types.ts';
import type { LoggedInteraction } from '../harness/interactions.ts';
import { countMeasures, newestFigures, withoutNothing } from './brand-oracle.ts';
import { replayed, type PublishedRow } from './replay-fixture.ts';

const DAY = 86_400_000;

interface ProfileRow {
  readonly key: string;
  readonly profile: { readonly segments: readonly string[]; readonly stage?: string };
}

test.for([
  { days: 90, silence: 0 },
  { days: 420, silence: 0 },
  { days: 120, silence: 200 },
  { days: 60, silence: 500 },
])(
  'a replay of $days simulated days, then $silence of silence, gives the measures that a count from scratch gives',
  { timeout: 120_000 },
  async ({ days, silence }) => {
    const definitions = await loadDefinitions(shippedDefinitions);
    const from = Date.UTC(2025, 0, 5);
    const records = [...simulateShop({ seed: 5, customers: 60, from, to: from + days * DAY })].filter(
      (record) => record.kind === 'interaction',
    );
    const until = from + (days + silence) * DAY + 1;
    const lines = records.map(({ timestamp, value }) => JSON.stringify({ ...value, timestamp }));
    const { rows } = await replayed(lines, definitions, until);
    const segments = new Map(
      rows<ProfileRow>('profiles').map(({ key, profile }) => [key.slice(key.indexOf('|') + 1), profile.segments]),
    );
    const counted = countMeasures(
      records.map(underAccount(records)),
      definitions,
      'demo',
      until,
      (subject) => segments.get(subject) ?? [],
    );
    const published = newestFigures(rows<PublishedRow<BrandKpi>>('brand-kpis.v1'));
    const measures = new Set(Array.from(counted.keys(), measureOf));
    const known = [...published].filter(([name]) => measures.has(measureOf(name)));
    expect(Object.fromEntries(known)).toEqual(Object.fromEntries(withoutNothing(counted)));
    const stages = Object.groupBy(rows<ProfileRow>('profiles'), ({ profile }) => profile.stage ?? 'none');
    for (const [stage, profiles] of Object.entries(stages)) {
      if (stage !== 'none') expect(published.get(`brand all stage_${stage}`)).toEqual([profiles?.length, null]);
    }
    expect(published.size).toBeGreaterThan(0);
  },
);

/** Of `dimension value measure`. */
function measureOf(name: string): string {
  return name.slice(name.lastIndexOf(' ') + 1);
}

/** Each event under the account of whoever signs in on the device at some time: the pipeline has to find out by itself. */
function underAccount(records: readonly LoggedInteraction[]): (record: LoggedInteraction) => LoggedInteraction {
  const accounts = new Map<string, string>();
  for (const { value } of records) {
    if (value.userId !== null && value.anonymousId !== null) accounts.set(value.anonymousId, value.userId);
  }
  return (record) => {
    const userId = record.value.userId ?? accounts.get(record.value.anonymousId ?? '') ?? null;
    return { ...record, value: { ...record.value, userId } };
  };
}
