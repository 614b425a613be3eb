import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkDefinitions } from '../../processors/definitions/check.ts';
import { loadDefinitions, shippedDefinitions } from '../../processors/definitions/load.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kizuna-experiments-'));
  await mkdir(join(folder, 'experiments'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const VARIANTS = [
  { id: 'A', share: 0.5, control: true },
  { id: 'B', share: 0.5 },
];
const METRICS: readonly object[] = [{ id: 'ordered', kind: 'conversion', types: ['ORDER_PLACED'], windowDays: 7 }];
const write = (id: string, changes: object = {}): Promise<void> =>
  writeFile(
    join(folder, `experiments/${id}.json`),
    JSON.stringify({ id, name: id, variants: VARIANTS, metrics: METRICS, ...changes }),
  );
const faults = async (): Promise<string[]> =>
  (await checkDefinitions(folder)).map(({ where, message }) => `${where}: ${message}`);

test('an experiment is as usual where its file says nothing', async () => {
  await write('button');
  const { experiments } = await loadDefinitions(folder);
  expect(experiments.get('button')).toEqual({
    id: 'button',
    name: 'button',
    brands: ['*'],
    variants: [VARIANTS[0], { ...VARIANTS[1], control: false }],
    metrics: [{ ...METRICS[0], where: null, direction: 'up', guardrail: false, margin: 0 }],
    alpha: 0.05,
    tuningUnits: 5000,
    holdout: null,
    file: 'experiments/button.json',
  });
});

test('one that cannot be is refused, every fault with its place', async () => {
  await write('a', { variants: [VARIANTS[1], { id: 'B', share: 0.4 }] });
  await write('b', {
    metrics: [
      { id: 'x', kind: 'revenue', types: ['ORDER_PLACED'], windowDays: 7, guardrail: true },
      { id: 'x', kind: 'count', windowDays: 7, guardrail: true },
    ],
  });
  await write('c', { metrics: [{ ...METRICS[0], margin: 0.1, guardrial: true }] });
  await write('d', { metrics: [{ ...METRICS[0], margin: 0.1 }] });
  await write('e', { metrics: [{ ...METRICS[0], types: ['ORDER_PLACE'] }], alpha: 1 });
  await write('f', { variants: [VARIANTS[0]] });
  expect(await faults()).toEqual([
    'experiments/a.json: variants.1.id: "B" is there twice',
    'experiments/a.json: variants: exactly one must be the control, not 0',
    'experiments/a.json: variants: the shares must be 1 together, not 0.9',
    'experiments/b.json: metrics.0.types: must be absent: orders make revenue',
    'experiments/b.json: metrics.1.types: must name what is counted for a count, or where must',
    'experiments/b.json: metrics.1.id: "x" is there twice',
    'experiments/b.json: metrics: must have a goal: one that is no guardrail',
    'experiments/c.json: metrics.0.guardrial: unknown field',
    'experiments/d.json: metrics.0.margin: must be absent: only a guardrail has one',
    expect.stringMatching(/^experiments\/e.json: metrics.0.types.0: Invalid option/),
    'experiments/e.json: alpha: Too big: expected number to be <=0.2',
    'experiments/f.json: variants: Too small: expected array to have >=2 items',
  ]);
});

test('a holdout is another experiment, without one itself, and for every brand of the first', async () => {
  await write('a', { holdout: 'a' });
  await write('b', { holdout: 'winter' });
  await write('c', { holdout: 'wintre' });
  await write('d', { holdout: 'b' });
  await write('e', { holdout: 'winter', brands: ['demo'] });
  await write('f', { holdout: 'winter', brands: ['demo', 'other'] });
  await write('winter', { brands: ['demo'] });
  expect(await faults()).toEqual([
    'experiments/a.json: holdout: must be another experiment',
    'experiments/b.json: holdout: "winter" is not for "*"',
    'experiments/c.json: holdout: there is no experiment "wintre"; did you mean "winter"?',
    'experiments/d.json: holdout: "b" has a holdout itself',
    'experiments/f.json: holdout: "winter" is not for "other"',
  ]);
});

test('experiments are part of what the hash is of, and not too many', async () => {
  const before = (await loadDefinitions(folder)).hash;
  await write('button');
  expect((await loadDefinitions(folder)).hash).not.toBe(before);
  for (let n = 0; n < 50; n++) await write(`more-${n}`);
  expect(await faults()).toEqual(['experiments/: holds more than 50 experiments']);
});

test('the experiment of the simulated shop is shipped', async () => {
  const { experiments } = await loadDefinitions(shippedDefinitions);
  expect([...experiments.keys()]).toEqual(['free-delivery-banner']);
});

test('a filter of a metric is held to the fields of an event, and lets no order through', async () => {
  const metric = (where: object, changes: object = {}): object => ({
    ...{ id: 'x', kind: 'count', windowDays: 7, where },
    ...changes,
  });
  await write('a', { metrics: [metric({ type: 'COMPLAINT', touchpoint: { $in: ['checkout', 'cart'] } })] });
  expect(await faults()).toEqual([]);
  await write('b', { metrics: [metric({ type: 'COMPLAINT', touchpoin: 'checkout' })] });
  await write('c', { metrics: [metric({ channel: 'WEB' })] });
  expect(await faults()).toEqual([
    expect.stringMatching(/^experiments\/b.json: metrics.0.where.*unknown field of an event "touchpoin"/),
    expect.stringMatching(/^experiments\/c.json: metrics.0.where: lets ORDER_PLACED through/),
  ]);
  await rm(join(folder, 'experiments/b.json'));
  await write('c', { metrics: [metric({ type: 'COMPLAINT' }, { types: ['COMPLAINT'] })] });
  await write('d', { metrics: [metric({ type: 'COMPLAINT' }, { kind: 'revenue' })] });
  expect(await faults()).toEqual([
    'experiments/c.json: metrics.0.types: must be absent: where says what is counted',
    'experiments/d.json: metrics.0.where: must be absent: orders make revenue',
  ]);
});
