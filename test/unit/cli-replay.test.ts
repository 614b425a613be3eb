import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { replay } from '../../processors/cli/replay-run.ts';
import { definitionsWith } from '../harness/definition-sets.ts';
import { kizuna } from '../harness/recording-terminal.ts';

let folder: string;
let to: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kizuna-replay-'));
  to = join(folder, 'out');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a replay of no file', () => {
  test('names it and writes nothing', async () => {
    const file = join(folder, 'missing.ndjson');
    const { code, stderr } = await kizuna(`replay ${file} --to ${to}`);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `ENOENT: no such file or directory, open '${file}'\n` });
    expect(existsSync(to)).toBe(false);
  });

  test('but a folder says so and writes nothing', async () => {
    const { code, stderr } = await kizuna(`replay ${folder} --to ${to}`);
    expect(code).toBe(1);
    expect(stderr).toBe(`${folder} is a folder: a file with one interaction a line is wanted\n`);
    expect(existsSync(to)).toBe(false);
  });

  test('leaves what an earlier one wrote', async () => {
    await mkdir(to);
    await writeFile(join(to, 'summary.json'), '{}');
    expect((await kizuna(`replay ${join(folder, 'missing.ndjson')} --to ${to}`)).code).toBe(1);
    expect(await readdir(to)).toEqual(['summary.json']);
  });
});

test('a replay that fails midway leaves no summary of an earlier one beside its files', async () => {
  const file = join(folder, 'interactions.ndjson');
  await writeFile(file, 'rubbish\n');
  await mkdir(to);
  await writeFile(join(to, 'summary.json'), '{}');
  const failure = new Error('midway');
  const progress = (): void => {
    throw failure;
  };
  await expect(replay({ file, to, definitions: definitionsWith({}), until: null, progress })).rejects.toBe(failure);
  expect(await readdir(to)).toContain('dead-letters.ndjson');
  expect(await readdir(to)).not.toContain('summary.json');
});

test('a replay of an empty file has every file, and its summary', async () => {
  const file = join(folder, 'interactions.ndjson');
  await writeFile(file, '');
  await replay({ file, to, definitions: definitionsWith({}), until: null });
  expect((await readdir(to)).sort()).toEqual([
    'brand-kpis.v1.ndjson',
    'cases.v1.ndjson',
    'churn-risk.v1.ndjson',
    'customer-traits.v1.ndjson',
    'dead-letters.ndjson',
    'experiment-results.v1.ndjson',
    'identity-merges.v1.ndjson',
    'journey-stages.v1.ndjson',
    'profiles.ndjson',
    'segment-memberships.v1.ndjson',
    'summary.json',
    'touchpoint-alerts.v1.ndjson',
    'touchpoint-scores.v1.ndjson',
    'triggers.v1.ndjson',
  ]);
});
