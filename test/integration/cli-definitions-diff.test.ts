import { expect, test } from 'vitest';
import type { DefinitionsDiff } from '../../processors/cli/definitions-diff.ts';
import { produceInteractions } from '../harness/interactions.ts';
import { pipelinePlace } from '../harness/pipeline-place.ts';
import { kizuna } from '../harness/recording-terminal.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { writeDefinitions } from '../harness/written-definitions.ts';
import { interaction } from '../processors/intake-fixture.ts';

const DAY = 24 * 3_600_000;
const CUSTOMERS = 40;
const START = Date.UTC(2026, 2, 2, 9);
const AT = new Date(START + 8 * DAY).toISOString();

const view = (customer: number, place: number) => ({
  key: `${customer}`,
  timestamp: START + place,
  value: interaction({
    ...{ eventId: `e-${customer}-${place}`, brandId: customer % 2 === 0 ? 'demo' : 'other', userId: `${customer}` },
    ...{ occurredAt: START + place, type: 'PAGE_VIEW' },
  }),
});

describeWithServices('kizuna definitions diff', () => {
  test('says beforehand who would enter and leave, silence included, and changes nothing', async () => {
    await using now = await writeDefinitions({
      viewers: { 'traits.page_views.7d': { $gte: 1 } },
      dropped: { identified: true },
    });
    await using next = await writeDefinitions({
      viewers: { 'traits.page_views.30d': { $gte: 3 } },
      silent: { 'ages.interactions': { $gte: 7 } },
    });
    await using place = await pipelinePlace('cli-diff', { time: 'record', partitions: 2, definitions: now.folder });
    const customers = Array.from({ length: CUSTOMERS }, (_, index) => index + 1);
    // Each has as many page views as its number modulo 4, and one more.
    await produceInteractions(
      place,
      customers.flatMap((customer) =>
        Array.from({ length: (customer % 4) + 1 }, (_, index) => view(customer, index * CUSTOMERS + customer)),
      ),
    );
    const ask = async (flags: string): Promise<DefinitionsDiff & { readonly code: number }> => {
      const line = `definitions diff --definitions ${next.folder} --at ${AT} --json ${flags}`.trim();
      const { code, stdout } = await kizuna(line, place.environment);
      return { ...(JSON.parse(stdout) as DefinitionsDiff), code };
    };
    {
      await using running = await place.start({ only: ['intake', 'customer'] });
      const stored = async (): Promise<true | undefined> => {
        const { evaluated, segments } = await ask('');
        // Everybody was last seen more than seven days before.
        const silent = segments.filter(({ segment }) => segment === 'silent');
        const entering = silent.reduce((sum, { enter }) => sum + enter.customers, 0);
        return evaluated === CUSTOMERS && entering === CUSTOMERS && (await allStored(ask)) ? true : undefined;
      };
      await waitUntil('every customer stored', stored, { withinMs: 60_000, failed: running.pipeline.failed });
    }

    const told = await ask('--brand demo --limit 2');
    expect(told).toMatchObject({ code: 2, stored: 20, evaluated: 20, ofOtherDefinitions: 0, isSample: false });
    const row = (segment: string) => told.segments.find((each) => each.segment === segment);
    const count = (of: number) => ({ customers: of, low: of, high: of });
    // After eight days nobody has a page view of the last seven; even customers have one or three.
    expect(row('viewers')).toMatchObject({ enter: count(10), leave: count(0), stay: count(0) });
    expect(row('viewers')?.entering).toEqual(['u:10', 'u:14']);
    expect(row('dropped')).toMatchObject({ enter: count(0), leave: count(20), leaving: ['u:10', 'u:12'] });
    expect(row('silent')).toMatchObject({ enter: count(20), leave: count(0) });
    expect(await ask('--brand demo --limit 2')).toEqual(told);

    const only = await ask('--segment viewers');
    expect(only.segments.map(({ brand, segment }) => `${brand} ${segment}`)).toEqual(['demo viewers', 'other viewers']);
    const sample = await ask('--sample 0.5 --segment silent');
    expect(sample).toMatchObject({ stored: CUSTOMERS, isSample: true });
    expect(sample.evaluated).toBeGreaterThan(0);
    expect(sample.evaluated).toBeLessThan(CUSTOMERS);

    const same = await kizuna(`definitions diff --definitions ${now.folder} --at ${AT}`, place.environment);
    expect(same).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Nobody would enter or leave/) as string });
    const text = await kizuna(`definitions diff --definitions ${next.folder} --at ${AT}`, place.environment);
    expect(text.code).toBe(2);
    expect(text.stdout).toMatch(/^demo +viewers +10 +0 +0$/m);
    const misspelt = await kizuna(`definitions diff --definitions ${next.folder} --segment viewrs`, place.environment);
    expect(misspelt).toMatchObject({
      code: 2,
      stderr: '--segment viewrs: is in neither set; did you mean "viewers"?\n',
    });

    // Under definitions that are neither, what was published last stands.
    const others = await kizuna(`definitions diff --definitions ${next.folder} --at ${AT} --json`, {
      ...place.environment,
      KIZUNA_DEFINITIONS: next.folder,
    });
    expect(JSON.parse(others.stdout)).toMatchObject({ ofOtherDefinitions: CUSTOMERS });
  });
});

/** Whether the documents hold every page view: customers with three or four are as many as they are to be. */
async function allStored(ask: (flags: string) => Promise<DefinitionsDiff>): Promise<boolean> {
  const { segments } = await ask('--segment viewers');
  return segments.reduce((sum, { enter }) => sum + enter.customers, 0) === CUSTOMERS / 2;
}
