import { expect, test } from 'vitest';
import { MEASURES } from '../../processors/brand/measures.ts';
import { BRAND_WINDOWS } from '../../processors/core/brand-amounts.ts';
import { loadDefinitions, shippedDefinitions } from '../../processors/definitions/load.ts';
import { simulateShop } from '../../processors/simulation/shop.ts';
import type { BrandKpi, JourneyChanged } from '../../schemas/types.ts';
import type { LoggedInteraction } from '../harness/interactions.ts';
import { countMeasures, countStages, newestFigures, startOf, withoutNothing, type Figures } from './brand-oracle.ts';
import { replayed, type PublishedRow } from './replay-fixture.ts';

const DAY = 86_400_000;

/**
 * Two sessions of one person under two identifiers are joined while an event less than a day late could join them. Of so small a
 * shop a block of a replay is days long, and what one identifier sends to another comes behind the block.
 */
const IN_REACH = /(^| )(closed_sessions|engaged_sessions|engaged_session_rate)$/;

/** How many customers are in a stage now is compared with their profiles; whoever is linked goes on with another one's stay. */
const OF_NOW = /^stage_(awareness|consideration|purchase|retention|advocacy)$/;
const OF_STAGES = /^stage_/;
const ANSWERS_OF_STAGE = /^stage .* (nps|csat_satisfied|ces_satisfied|rating_satisfied)$/;

interface ProfileRow {
  readonly key: string;
  readonly profile: { readonly segments: readonly string[]; readonly stage?: string };
}

test.for([
  { days: 90, silence: 0, identifiers: 'several' },
  { days: 420, silence: 0, identifiers: 'several' },
  { days: 420, silence: 0, identifiers: 'one' },
  { days: 120, silence: 200, identifiers: 'several' },
  { days: 60, silence: 500, identifiers: 'one' },
])(
  'a replay of $days simulated days, then $silence of silence, gives the measures that a count from scratch gives: $identifiers',
  { timeout: 120_000 },
  async ({ days, silence, identifiers }) => {
    const definitions = await loadDefinitions(shippedDefinitions);
    const from = Date.UTC(2025, 0, 5);
    const records = [...simulateShop({ seed: 5, customers: 60, from, to: from + days * DAY })].filter(
      (record) => record.kind === 'interaction',
    );
    const until = from + (days + silence) * DAY + 1;
    const hasOne = identifiers === 'one';
    const known = records.map(underAccount(records));
    const lines = (hasOne ? known : records).map(({ timestamp, value }) => JSON.stringify({ ...value, timestamp }));
    const { rows } = await replayed(lines, definitions, until);
    const segments = new Map(
      rows<ProfileRow>('profiles').map(({ key, profile }) => [key.slice(key.indexOf('|') + 1), profile.segments]),
    );
    const kpis = rows<PublishedRow<BrandKpi>>('brand-kpis.v1');
    for (const window of BRAND_WINDOWS) {
      const counted = countMeasures(
        known,
        definitions,
        'demo',
        until,
        window,
        (subject) => segments.get(subject) ?? [],
      );
      const published = newestFigures(kpis, window);
      if (!hasOne) for (const name of counted.keys()) if (IN_REACH.test(name)) counted.delete(name);
      // Whoever is linked goes on with a stay of another document.
      if (hasOne) {
        const moves = rows<PublishedRow<JourneyChanged>>('journey-stages.v1').map(({ value }) => value);
        for (const [name, figures] of countStages(moves, startOf(until, window))) counted.set(name, figures);
      }
      const measures = new Set(Array.from(counted.keys(), measureOf));
      expectAnswersOfStages(published, counted);
      const own = [...published].filter(([name]) => measures.has(measureOf(name)) && !ANSWERS_OF_STAGE.test(name));
      expect({ window, ...Object.fromEntries(own) }).toEqual({
        window,
        ...Object.fromEntries(withoutNothing(counted)),
      });
      if (days > 365 && window === '365d') {
        const isNothing = ([name, [above, below]]: readonly [string, readonly [number, number | null]]): boolean =>
          name.startsWith('brand all ') && above === 0 && (below ?? 0) === 0;
        expect([...counted].filter(isNothing)).toEqual([]);
      }
      // Nothing is published that nobody counted.
      const others = new Set([...published.keys()].map(measureOf).filter((measure) => !measures.has(measure)));
      const uncounted = MEASURES.map(({ name }) => name).filter(
        (name) => (hasOne ? OF_NOW : OF_STAGES).test(name) || IN_REACH.test(name),
      );
      expect([...others].filter((measure) => !uncounted.includes(measure))).toEqual([]);
      const stages = Object.groupBy(rows<ProfileRow>('profiles'), ({ profile }) => profile.stage ?? 'none');
      for (const [stage, profiles] of Object.entries(stages)) {
        if (stage !== 'none') expect(published.get(`brand all stage_${stage}`)).toEqual([profiles?.length, null]);
      }
      expect(published.size).toBeGreaterThan(0);
    }
  },
);

/** Each answer is one of some stage. */
function expectAnswersOfStages(published: Figures, counted: Figures): void {
  const sums = new Map<string, readonly [number, number]>();
  for (const [name, [above, below]] of published) {
    if (!ANSWERS_OF_STAGE.test(name)) continue;
    const [before, all] = sums.get(measureOf(name)) ?? [0, 0];
    sums.set(measureOf(name), [before + above, all + (below ?? 0)]);
  }
  for (const measure of ['nps', 'csat_satisfied', 'ces_satisfied', 'rating_satisfied']) {
    expect(sums.get(measure) ?? [0, 0]).toEqual(counted.get(`brand all ${measure}`));
  }
}

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
    const anonymousId = userId === null ? record.value.anonymousId : null;
    return { ...record, value: { ...record.value, userId, anonymousId } };
  };
}
