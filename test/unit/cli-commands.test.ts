import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SETTING_NAMES } from '../../processors/runtime/config-table.ts';
import { renderSettings } from '../../processors/runtime/config-docs.ts';
import { kizuna } from '../harness/recording-terminal.ts';

const ADDRESSES = {
  KIZUNA_KAFKA_BROKERS: 'kafka:9092',
  KIZUNA_MONGODB_URI: 'mongodb://someone:hidden@db/',
  KIZUNA_SCHEMA_REGISTRY_URL: 'http://registry:8081',
};

describe('input accept', () => {
  test('needs services, and names that exist', async () => {
    expect(await kizuna('input accept')).toMatchObject({ code: 2 });
    const ends = await Promise.all(
      ['--processor nobody', '--topic customer-events.v1 --processor intake', '--partition one'].map((flags) =>
        kizuna(`input accept ${flags}`, ADDRESSES),
      ),
    );
    expect(ends.map(({ code }) => code)).toEqual([2, 2, 2]);
    expect(ends[0]?.stderr).toContain('there is no nobody; there are: intake, customer');
    expect(ends[1]?.stderr).toContain('customer-events.v1 is not read; these are: interactions.v1');
  });
});

describe('config', () => {
  test('check finds every fault', async () => {
    const faulty = { KIZUNA_HTTP_PORTS: '1', KIZUNA_TIME: 'sometimes', KIZUNA_MONGODB_URI: 'mongodb://db/' };
    const { code, stdout, stderr } = await kizuna('config check', faulty);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.split('\n').map((line) => line.split(':')[0])).toEqual([
      'KIZUNA_HTTP_PORTS',
      'KIZUNA_TIME',
      'KIZUNA_KAFKA_BROKERS',
      'KIZUNA_SCHEMA_REGISTRY_URL',
      '',
    ]);
    const json = await kizuna('config check --json', faulty);
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { faults: [{ where: 'KIZUNA_HTTP_PORTS' }, {}, {}, {}] } });
  });

  test('check says what a sound configuration runs on', async () => {
    expect(await kizuna('config check')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('embedded') as string,
    });
    const { code, stdout } = await kizuna('config check', ADDRESSES);
    expect(code).toBe(0);
    expect(stdout).toContain('Kafka kafka:9092');
    expect(stdout).not.toContain('hidden');
  });

  test('check has nothing to connect to without services', async () => {
    const { code, stderr } = await kizuna('config check --connect');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^KIZUNA_KAFKA_BROKERS: is missing: this needs real services$/m);
  });

  test('print shows each value and where it comes from, and no secret', async () => {
    const environment = {
      ...ADDRESSES,
      KIZUNA_SCHEMA_REGISTRY_URL: 'http://someone:hidden@registry:8081',
      KIZUNA_KAFKA_SASL_PASSWORD_FILE: '/run/secrets/kafka',
      KIZUNA_TIME: 'record',
    };
    const { code, stdout } = await kizuna('config print', environment);
    expect(code).toBe(0);
    const rows = new Map(stdout.split('\n').map((line) => [line.split(/\s+/)[0], line.split(/\s+/).slice(1)]));
    expect(rows.get('KIZUNA_TIME')).toEqual(['environment', 'record']);
    expect(rows.get('KIZUNA_HTTP_PORT')).toEqual(['default', '9464']);
    expect(rows.get('KIZUNA_PREFIX')).toEqual(['default', '(empty)']);
    expect(rows.get('KIZUNA_DEFINITIONS')).toEqual(['default', '(unset)']);
    expect(rows.get('KIZUNA_KAFKA_SASL_PASSWORD')).toEqual(['file', '(secret)']);
    expect(rows.get('KIZUNA_SCHEMA_REGISTRY_URL')).toEqual(['environment', 'http://(secret)@registry:8081']);
    const json = await kizuna('config print --json', environment);
    expect((JSON.parse(json.stdout) as { settings: object[] }).settings).toHaveLength(SETTING_NAMES.length);
    expect(stdout + json.stdout).not.toContain('hidden');
  });

  test('docs lists every setting, for people, programs and documents', async () => {
    const text = await kizuna('config docs');
    for (const name of SETTING_NAMES) expect(text.stdout).toMatch(new RegExp(`^${name}  \\(`, 'm'));
    expect((await kizuna('config docs --markdown')).stdout).toBe(`${renderSettings()}\n`);
    const { settings } = JSON.parse((await kizuna('config docs --json')).stdout) as { settings: { name: string }[] };
    expect(settings.map(({ name }) => name)).toEqual(SETTING_NAMES);
  });
});

describe('definitions check', () => {
  let folder: string;
  const segment = (id: string, where: object): void => {
    writeFileSync(join(folder, 'segments', `${id}.json`), JSON.stringify({ id, name: id, brands: ['*'], where }));
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kizuna-definitions-'));
    mkdirSync(join(folder, 'segments'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('tells hash and counts of a sound set: the shipped one, KIZUNA_DEFINITIONS, or a folder', async () => {
    segment('vip', { 'traits.orders.30d': { $gte: 3 } });
    const shipped = await kizuna('definitions check');
    expect(shipped).toMatchObject({ code: 0, stdout: expect.stringMatching(/^segments {2}10$/m) as string });
    const given = await kizuna(`definitions check ${folder} --json`);
    expect(given.code).toBe(0);
    expect(JSON.parse(given.stdout)).toMatchObject({ directory: folder, segments: 1, churnModels: 0, faults: [] });
    expect(await kizuna('definitions check --json', { KIZUNA_DEFINITIONS: folder })).toEqual(given);
  });

  test('lists the faults with file and path', async () => {
    segment('one', { 'traits.orders.30d': { $gte: 'three' } });
    segment('two', { 'traits.ordres.30d': { $gte: 3 } });
    const { code, stderr } = await kizuna(`definitions check ${folder}`);
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^segments\/one\.json: where.*traits\.orders\.30d/),
      expect.stringMatching(/^segments\/two\.json: where.*ordres/),
    ]);
  });
});

describe('schemas check', () => {
  test('finds the current schemas compatible', async () => {
    expect(await kizuna('schemas check')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Every schema is compatible(.|\n)*Interaction +\d+ published/) as string,
    });
    expect(JSON.parse((await kizuna('schemas check --json')).stdout)).toMatchObject({ faults: [] });
  });
});

describe('sweep', () => {
  test('refuses a moment that has not come yet', async () => {
    const { code, stderr } = await kizuna('sweep --until 2999-01-01', ADDRESSES);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^--until: 2999-01-01T00:00:00.000Z has not come yet.*--force/);
  });

  test('refuses a processor without state, and names those with', async () => {
    const { code, stderr } = await kizuna('sweep --until 1998-01-01 --processor intake', ADDRESSES);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: '--processor: intake keeps no state to sweep; these do: customer, touchpoint, brand, experiment\n',
    });
  });
});
