import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { replay } from '../../processors/cli/replay-run.ts';
import { simulateShop } from '../../processors/simulation/shop.ts';
import { toJson } from '../../schemas/json.ts';
import { definitionsWith, JOURNEY_SETTINGS, TRIGGER_SETTINGS } from '../harness/definition-sets.ts';
import { churnModel } from './customer-fixture.ts';
import { line, order, replayed, START } from './replay-fixture.ts';

const DAY = 86_400_000;

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

/** Forty days of the simulated shop, and what a file may hold beside it. */
function file(): (string | Buffer)[] {
  const to = START + 40 * DAY;
  const shop = [...simulateShop({ seed: 11, customers: 150, from: START, to })].map((record) =>
    record.kind === 'raw'
      ? Buffer.from(`raw ${record.bytes?.toString('base64') ?? 'null'}`)
      : JSON.stringify({ ...toJson('Interaction', record.value), timestamp: record.timestamp }),
  );
  const odd = [
    ...['', '  ', '{', '[]', '{"eventId":1}', line(START, { nonsense: 1 }), Buffer.from([0x7b, 0xff, 0x7d])],
    `${line(START + 1, { userId: 'carriage' })}\r`,
    line(START + 2, { userId: 'sur\ud800rogate', touchpoint: '\udfff' }),
    line(START + 3, { userId: 'lines\u2028and\u2029', touchpoint: 'café ☕ 👍', attributes: { ['__proto__']: 'x' } }),
    line(START + 4, { type: 'IDENTIFIED', attributes: { ['__proto__']: 'x', plan: 'gold', constructor: 'y' } }),
    line(START + 5, { type: 'NEWER', channel: 'NEWER' }),
    line(START + 6, { ...order('large', 2 ** 52 - 1) }),
    line(START + 7, { ...order('larger', 2 ** 52) }),
    line(START + 8, { occurredAt: '2026-05-04T10:07:00.008Z' }),
  ];
  return shop.flatMap((each, index) => (index % 97 === 0 ? [each, odd[(index / 97) % odd.length] ?? ''] : [each]));
}

// How a replay is made may change, and what comes of it may not: these are the digests of its files since 2026-11. Whoever
// changes what processors publish puts the new ones here, and says why in the commit.
test.each([
  ['in one thread', false],
  ['with threads that read and write', true],
])('a replay of a fixed file %s gives the files it always gave, byte for byte', async (_how, threads) => {
  const lines = file();
  expect(sha256(Buffer.concat(lines.map((each) => Buffer.from(each))))).toBe('feb982b54d98631e');
  const definitions = definitionsWith(
    {
      active: { 'traits.interactions.24h': { $gte: 3 } },
      buyers: { 'traits.orders.lifetime': { $gte: 1 } },
      quiet: { $and: [{ 'ages.interactions': { $gte: 7 } }, { segments: 'buyers' }] },
      clickers: { 'ratios.ctr.30d': { $gt: 0.1 } },
      gold: { 'attributes.plan': 'gold' },
    },
    [{ ...churnModel(), brandId: 'demo' }],
  );
  const triggers = new Map([['demo', TRIGGER_SETTINGS]]);
  const followed = { ...definitions, defaultJourney: JOURNEY_SETTINGS, triggers };
  const { files, faults } = await replayed(lines, followed, null, threads);
  expect(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, sha256(text)]))).toEqual({
    'brand-kpis.v1.ndjson': '3c3fc61a44f1a0e5',
    'cases.v1.ndjson': '8355d09c14931d99',
    'churn-risk.v1.ndjson': '6ded9d70b6bd897f',
    'customer-traits.v1.ndjson': '0574cbbca7cdf9b7',
    'dead-letters.ndjson': '2f4dd53b204d7130',
    'experiment-results.v1.ndjson': 'e3b0c44298fc1c14',
    'journey-stages.v1.ndjson': '5ac6f4d6be538c40',
    'identity-merges.v1.ndjson': '375dad0d20d7ffae',
    'profiles.ndjson': '847db2a0d18f9b20',
    'segment-memberships.v1.ndjson': 'ebcb33f26705ed81',
    'summary.json': '5dd99a15c5af6dc9',
    'touchpoint-alerts.v1.ndjson': 'e3b0c44298fc1c14',
    'touchpoint-scores.v1.ndjson': '4d4f0706530c2b3d',
    'triggers.v1.ndjson': '84dd674e263ca0a7',
  });
  expect(faults).toHaveLength(7);
});

test('a thread that fails fails the replay', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kizuna-replay-'));
  try {
    const file = join(folder, 'interactions.ndjson');
    await writeFile(file, `${line(START)}\n`);
    // A file where a folder should be made.
    const failed = replay({
      file,
      to: join(file, 'out'),
      definitions: definitionsWith({}),
      until: null,
      threads: true,
    });
    await expect(failed).rejects.toMatchObject({ code: 'ENOTDIR' });
  } finally {
    await rm(folder, { recursive: true });
  }
});
