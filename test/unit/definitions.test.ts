import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../processors/core/errors.ts';
import { compileDefinitions } from '../../processors/customer/brand-rules.ts';
import { checkDefinitions } from '../../processors/definitions/check.ts';
import { loadDefinitions, shippedDefinitions } from '../../processors/definitions/load.ts';
import { affinityOf, JOURNEY_SETTINGS, TRIGGER_SETTINGS } from '../harness/definition-sets.ts';

const folders: string[] = [];

/** A folder of definitions: JSON values, or texts as they are. */
async function folderOf(files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kizuna-definitions-'));
  folders.push(folder);
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

async function faultsOf(files: Readonly<Record<string, unknown>>): Promise<string[]> {
  const error: unknown = await loadDefinitions(await folderOf(files)).catch((thrown: unknown) => thrown);
  if (!(error instanceof ConfigurationError)) throw new Error('the definitions were not refused', { cause: error });
  return error.faults.map(({ where, message }) => `${where}: ${message}`);
}

const VIP = { id: 'vip', name: 'VIP', brands: ['acme'], where: { 'traits.orders.90d': { $gte: 5 } } };
const ACME = { id: 'acme', currency: 'EUR', timeZone: 'Europe/Berlin', lostAfterDays: 60, socialReach: 1_000 };
const CHURN = {
  model: 'mbg-nbd',
  horizonDays: 90,
  parameters: { r: 1, alpha: 1, a: 1, b: 1 },
  baseline: { probability: 1 - (1 - 1 / (1 + 90 / 7)) / 2, x: 0, tx: 0, T: 0 },
  fittedAt: '2026-01-01T00:00:00Z',
  quality: { auc: 0.75, remark: 'a first try' },
};

describe('loading definitions', () => {
  test('reads brands, segments and churn models, defaults filled in', async () => {
    const definitions = await loadDefinitions(
      await folderOf({
        'brands/acme.json': ACME,
        'brands/beta.json': { id: 'beta', currency: 'USD' },
        'segments/vip.json': VIP,
        'segments/all.json': { id: 'all', name: 'Everybody', where: {} },
        'churn/acme.json': CHURN,
        'README.md': 'notes are welcome',
        'segments/notes.md': 'here too',
      }),
    );
    expect(definitions.brands.get('acme')).toEqual(ACME);
    expect(definitions.brands.get('beta')).toEqual({
      id: 'beta',
      currency: 'USD',
      timeZone: 'UTC',
      lostAfterDays: 90,
      socialReach: null,
    });
    expect(definitions.defaultBrand).toMatchObject({
      id: 'default',
      currency: 'USD',
      timeZone: 'UTC',
      lostAfterDays: 90,
    });
    expect(definitions.segments).toEqual([
      { id: 'all', name: 'Everybody', brands: ['*'], where: {}, file: 'segments/all.json' },
      { ...VIP, file: 'segments/vip.json' },
    ]);
    const { horizonDays, parameters, baseline, fittedAt, quality } = CHURN;
    expect(definitions.churn.get('acme')).toMatchObject({
      ...{ horizonDays, parameters, baseline, fittedAt, quality },
      brandId: 'acme',
      file: 'churn/acme.json',
    });
    expect(definitions.churn.get('acme')?.version).toMatch(/^[0-9a-f]{16}$/);
  });

  test('takes the default brand of the folder before the shipped one', async () => {
    const own = { ...ACME, id: 'default' };
    expect((await loadDefinitions(await folderOf({ 'brands/default.json': own }))).defaultBrand).toEqual(own);
  });

  test('tells every fault of every file at once, with its place', async () => {
    const faults = await faultsOf({
      'brands/acme.json': { id: 'acme', currency: 'EURO', timeZone: 'Berlin', lostAfterDays: 0 },
      'brands/other.json': ACME,
      'segments/broken.json': '{"id": ',
      'segments/text.txt': 'x',
      'segments/vip.json': { ...VIP, nmae: 'x', brands: [] },
      'segments/Upper.json': { ...VIP, id: 'Upper', where: [] },
      'segments/list.json': [],
      'churn/acme.json': {
        ...CHURN,
        model: 'bg',
        parameters: { ...CHURN.parameters, r: 0, aplha: 1 },
        baseline: { probability: 2, x: 0, tx: 0, T: 0 },
      },
      'churn/Not A Brand.json': CHURN,
      'segment/vip.json': VIP,
    });
    expect(faults.map((fault) => fault.replace(/(not valid JSON): .*/, '$1'))).toEqual([
      'segment/: unknown folder, beside brands, measures, ratios, segments, churn, surveys, touchpoints, sentiment, experiments, journeys, triggers, affinities; did you mean "segments"?',
      'segments/broken.json: is not valid JSON',
      'segments/text.txt: is not a .json file',
      'brands/acme.json: currency: must be an ISO 4217 code such as "USD"',
      'brands/acme.json: timeZone: must be an IANA time zone such as "Asia/Tokyo"',
      'brands/acme.json: lostAfterDays: Too small: expected number to be >=1',
      'brands/other.json: id: is "acme", but the file is named "other"; both must be the same',
      'segments/Upper.json: id: must be 1 to 64 characters of a-z, 0-9 and -',
      'segments/Upper.json: where: must be an object, a rule such as {"traits.orders.30d": {"$gte": 2}}',
      'segments/list.json: Invalid input: expected object, received array',
      'segments/vip.json: brands: Too small: expected array to have >=1 items',
      'segments/vip.json: nmae: unknown field; did you mean "name"?',
      'churn/Not A Brand.json: must be named after its brand: churn/<brand>.json',
      'churn/acme.json: model: Invalid option: expected one of "mbg-nbd"|"bg-nbd"',
      'churn/acme.json: parameters.r: Too small: expected number to be >0',
      'churn/acme.json: parameters.aplha: unknown field; did you mean "alpha"?',
      'churn/acme.json: baseline.probability: Too big: expected number to be <=1',
    ]);
  });

  test('refuses a baseline that cannot be', async () => {
    const faults = await faultsOf({
      'churn/acme.json': { ...CHURN, baseline: { probability: 0.5, x: 0, tx: 3, T: 2 } },
    });
    expect(faults).toEqual([
      'churn/acme.json: baseline.tx: must not be later than T: tx ≤ T',
      'churn/acme.json: baseline.tx: must be 0 when x is 0',
    ]);
  });

  test('completes affinities, and refuses what cannot be followed', async () => {
    const folder = await folderOf({ 'affinities/acme.json': { id: 'acme', weights: { ORDER_PLACED: 2 } } });
    const { affinities, hash } = await loadDefinitions(folder);
    expect(affinities.get('acme')).toEqual(affinityOf({ weights: { ORDER_PLACED: 2 } }));
    expect(hash).not.toBe((await loadDefinitions(await folderOf({ 'README.md': '' }))).hash);
    const faults = await faultsOf({
      'affinities/acme.json': {
        ...{ id: 'acme', dimensions: ['hour', 'hour'], halfLifeDays: 0, minimumWeight: -1, halfLife: 3 },
        weights: { ORDER_PLACED: 0.5, UNKNOWN: 1 },
      },
      'affinities/other.json': { id: 'acme', dimensions: [] },
    });
    expect(faults).toEqual([
      'affinities/acme.json: dimensions: must be different',
      'affinities/acme.json: halfLifeDays: Too small: expected number to be >=1',
      'affinities/acme.json: minimumWeight: Too small: expected number to be >=0',
      'affinities/acme.json: weights.ORDER_PLACED: Invalid input: expected int, received number',
      'affinities/acme.json: weights.UNKNOWN: unknown field',
      'affinities/acme.json: halfLife: unknown field',
      'affinities/other.json: dimensions: Too small: expected array to have >=1 items',
    ]);
  });

  test('completes a journey, and refuses one that contradicts itself', async () => {
    const folder = await folderOf({
      'journeys/acme.json': { id: 'acme', stages: { onboardingDays: 14 }, lifecycle: null },
    });
    const { journeys, defaultJourney } = await loadDefinitions(folder);
    expect(defaultJourney).toEqual(JOURNEY_SETTINGS);
    expect(journeys.get('acme')).toEqual({
      id: 'acme',
      stages: { ...JOURNEY_SETTINGS.stages, onboardingDays: 14 },
      lifecycle: null,
      loyalty: JOURNEY_SETTINGS.loyalty,
      file: 'journeys/acme.json',
    });
    const faults = await faultsOf({
      'journeys/acme.json': { id: 'acme', stages: { considerationDays: 366, minDwell: 1 } },
      'journeys/beta.json': { id: 'beta', lifecycle: { activeDays: 60, churnedDays: 60 } },
      'journeys/gamma.json': {
        id: 'gamma',
        loyalty: {
          measure: 'points_earned',
          tiers: [
            { id: 'silver', atLeast: 5 },
            { id: 'silver', atLeast: 5 },
          ],
        },
      },
    });
    expect(faults).toEqual([
      'journeys/acme.json: stages.considerationDays: Too big: expected number to be <=365',
      'journeys/acme.json: stages.minDwell: unknown field',
      'journeys/beta.json: lifecycle.dormantDays: must be more than activeDays',
      'journeys/beta.json: lifecycle.churnedDays: must be more than dormantDays',
      'journeys/gamma.json: loyalty.tiers: must be the lowest first, each with more than the one before',
      'journeys/gamma.json: loyalty.tiers: must have different ids',
    ]);
  });

  test('completes triggers, and tells what is wrong with them', async () => {
    const folder = await folderOf({
      'triggers/acme.json': { id: 'acme' },
      'triggers/beta.json': { id: 'beta', cart_abandoned: { afterMinutes: 30 }, milestone: null },
    });
    const { triggers, hash } = await loadDefinitions(folder);
    expect(triggers.get('acme')).toEqual(TRIGGER_SETTINGS);
    expect(triggers.get('beta')).toMatchObject({ cart_abandoned: { afterMinutes: 30 }, milestone: null });
    expect(triggers.get('gamma')).toBeUndefined();
    expect(hash).not.toBe((await loadDefinitions(await folderOf({}))).hash);
    const faults = await faultsOf({
      'triggers/default.json': { id: 'default' },
      'triggers/acme.json': {
        id: 'acme',
        cart_abandoned: { afterMinute: 30 },
        win_back: { afterDays: 0 },
        winback: {},
      },
      'triggers/beta.json': {
        id: 'beta',
        onboarding_stalled: { goal: 'interactions' },
        milestone: { order: [1], revenue: [5, 5] },
      },
      'triggers/gamma.json': { id: 'delta', milestone: {} },
    });
    expect(faults).toEqual([
      'triggers/acme.json: cart_abandoned.afterMinute: unknown field; did you mean "afterMinutes"?',
      'triggers/acme.json: win_back.afterDays: Too small: expected number to be >=1',
      'triggers/acme.json: winback: unknown field; did you mean "win_back"?',
      'triggers/beta.json: onboarding_stalled.goal: must not be interactions: the first one starts it',
      'triggers/beta.json: milestone.revenue: must be the lowest first, each only once',
      'triggers/beta.json: milestone.order: unknown field; did you mean "orders"?',
      'triggers/default.json: id: must be a brand: there are no triggers for every brand',
      'triggers/gamma.json: milestone: must name a measure, such as {"orders": [1, 5, 10]}, or be null',
    ]);
  });

  test('refuses a folder that is not there, and JSON without end', async () => {
    const error: unknown = await loadDefinitions(join(tmpdir(), 'kizuna-no-such-folder')).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ faults: [{ message: expect.stringContaining('cannot be read') as unknown }] });
    const deep = `{"id":"deep","name":"x","where":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`;
    expect(await faultsOf({ 'segments/deep.json': deep })).toEqual([
      'segments/deep.json: is nested deeper than 64 levels',
    ]);
  });
});

describe('the hash of a set', () => {
  const hashOf = async (files: Readonly<Record<string, unknown>>) =>
    (await loadDefinitions(await folderOf(files))).hash;

  test('is of what the files say, not of how they are written', async () => {
    const hash = await hashOf({ 'segments/vip.json': VIP, 'brands/acme.json': ACME });
    const { id, name, brands, where } = VIP;
    const rewritten = JSON.stringify({ where, brands, name, id }, null, 4);
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(await hashOf({ 'brands/acme.json': ACME, 'segments/vip.json': rewritten })).toBe(hash);
    expect(await hashOf({ 'brands/acme.json': ACME, 'segments/vip.json': { ...VIP, name: 'V.I.P.' } })).not.toBe(hash);
    expect(await hashOf({ 'segments/vip.json': VIP })).not.toBe(hash);
  });

  test('fills defaults in first', async () => {
    const short = { id: 'a', name: 'A', where: {} };
    expect(await hashOf({ 'segments/a.json': short })).toBe(
      await hashOf({ 'segments/a.json': { ...short, brands: ['*'] } }),
    );
  });
});

describe('the shipped definitions', () => {
  test('are sound: ten segments, and a churn model for the brand demo alone', async () => {
    expect(await checkDefinitions(shippedDefinitions)).toEqual([]);
    const rulesOf = compileDefinitions(await loadDefinitions(shippedDefinitions));
    expect(rulesOf('demo').segments).toHaveLength(10);
    expect(rulesOf('demo').churn).toMatchObject({ horizonDays: 90 });
    expect(rulesOf('any-other').segments).toHaveLength(10);
    expect(rulesOf('any-other').churn).toBeNull();
  });

  test('checking tells the faults of files, and of rules once the files are sound', async () => {
    const rule = { ...VIP, where: { 'traits.orders.9d': 1 } };
    expect(await checkDefinitions(await folderOf({ 'segments/vip.json': '{' }))).toHaveLength(1);
    expect(await checkDefinitions(await folderOf({ 'segments/vip.json': rule }))).toEqual([
      {
        where: 'segments/vip.json: where["traits.orders.9d"]',
        message:
          'unknown path "traits.orders.9d"; did you mean "traits.orders.7d"? (windows: 1h 24h 7d 30d 90d 365d lifetime)',
      },
    ]);
  });
});
