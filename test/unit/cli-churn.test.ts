import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkDefinitions } from '../../processors/definitions/check.ts';
import { kizuna } from '../harness/recording-terminal.ts';
import { simulatedOrders, SIMULATION_START as START } from '../harness/simulated-orders.ts';

const DAY_MS = 86_400_000;
const WEEKS = 80;
const TRUE = { r: 0.9, alpha: 12, a: 0.7, b: 2.5 };
const histories = simulatedOrders('mbg-nbd', TRUE, { customers: 700, weeks: WEEKS, seed: 5 });
const UNTIL = new Date(START + WEEKS * 7 * DAY_MS).toISOString();
const iso = (at: number): string => new Date(at).toISOString();

interface Fitted {
  readonly definition: { readonly quality: Record<string, unknown>; readonly parameters: Record<string, number> };
  readonly standardErrors: Record<string, number>;
  readonly changed: boolean;
}

let folder: string;
let csv: string;
let out: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kizuna-churn-'));
  csv = join(folder, 'orders.csv');
  out = join(folder, 'definitions');
  await writeFile(csv, csvOf(histories));
});
afterAll(() => rm(folder, { recursive: true }));

function csvOf(known: readonly number[][]): string {
  const lines = known.flatMap((history, customer) => history.map((at) => `${iso(at)},u${customer}`));
  return `date,customer\n${lines.join('\n')}\n`;
}

describe('churn fit', () => {
  test('finds the parameters of a file, says how, and writes a definition that loads', async () => {
    const line = `churn fit ${csv} --brand acme --until ${UNTIL} --out ${out}`;
    const { code, stdout, stderr } = await kizuna(line);
    expect({ code, stderr: stderr.split('\n')[0] }).toEqual({
      code: 0,
      stderr: `700 customers of acme with orders, 2024-01-01 to ${UNTIL.slice(0, 10)}`,
    });
    expect(stderr).toMatch(/fitted in \d+ steps, log-likelihood -\d/);
    expect(stdout).toContain(`Written to ${join(out, 'churn/acme.json')}.`);
    expect(await checkDefinitions(out)).toEqual([]);
    expect(await readdir(join(out, 'churn'))).toEqual(['acme.json']);

    // Nothing is different the second time, and a dry run says so.
    const again = await kizuna(`${line} --dry-run --json`);
    expect(again.code).toBe(0);
    const document = JSON.parse(again.stdout) as Fitted;
    expect(document.changed).toBe(false);
    expect(document.definition).toEqual(JSON.parse(readFileSync(join(out, 'churn/acme.json'), 'utf8')));
    expect(document.definition).toMatchObject({ model: 'mbg-nbd', horizonDays: 90, fittedAt: UNTIL });
    expect(document.definition.quality['customers']).toBe(700);
    expect(document.definition.quality['auc']).toBeGreaterThan(0.7);
    for (const name of ['r', 'alpha', 'a', 'b'] as const) {
      const off = Math.abs((document.definition.parameters[name] ?? NaN) - TRUE[name]);
      expect(off, name).toBeLessThan(3 * (document.standardErrors[name] ?? NaN));
    }
  });

  test('of a dry run writes nothing, and ends with 2 when the definition would change', async () => {
    const other = join(folder, 'other');
    const { code, stdout } = await kizuna(`churn fit ${csv} --brand acme --model bg-nbd --out ${other} --dry-run`);
    expect(code).toBe(2);
    expect(stdout).toMatch(/^bg-nbd of brand acme(.|\n)*a dry run\. It would change/);
    expect(existsSync(other)).toBe(false);
  });

  test('reads interactions as a replay does: cancelled, repeated and others’ orders do not count', async () => {
    const order = (orderId: string) => ({ orderId, amountMinor: 100, currency: 'USD' });
    const interaction = (at: number, userId: string, type: string, orderId: string, brandId = 'acme') =>
      JSON.stringify({
        ...{ eventId: `${type}-${orderId}-${brandId}`, brandId, occurredAt: at, userId, channel: 'WEB', type },
        order: order(orderId),
      });
    const lines = histories.flatMap((history, customer) =>
      history.map(
        (at, place) => [at, interaction(at, `u${customer}`, 'ORDER_PLACED', `${customer}-${place}`)] as const,
      ),
    );
    const later = START + 300 * DAY_MS;
    const extra = [0, 1, 2].flatMap((customer) => [
      [later, interaction(later, `u${customer}`, 'ORDER_PLACED', `gone-${customer}`)] as const,
      [later + 1, interaction(later + 1, `u${customer}`, 'ORDER_CANCELLED', `gone-${customer}`)] as const,
      [later + 2, interaction(later + 2, `u${customer}`, 'ORDER_PLACED', `${customer}-0`)] as const,
      [later + 3, interaction(later + 3, `u${customer}`, 'ORDER_PLACED', `else-${customer}`, 'beta')] as const,
    ]);
    const file = join(folder, 'interactions.ndjson');
    const sorted = [...lines, ...extra].sort(([one], [other]) => one - other).map(([, line]) => line);
    await writeFile(file, `${sorted.join('\n')}\nrubbish\n`);
    const type = `--brand acme --until ${UNTIL} --dry-run --json`;
    const fromFile = await kizuna(`churn fit ${file} ${type}`);
    const fromCsv = await kizuna(`churn fit ${csv} ${type}`);
    const definitionOf = ({ stdout }: { stdout: string }) => (JSON.parse(stdout) as Fitted).definition;
    expect(definitionOf(fromFile)).toEqual(definitionOf(fromCsv));
    expect(fromFile.stderr).toContain(`line ${sorted.length + 1}: is not JSON: left out`);
    expect(fromFile.stderr).toContain('1 lines are no valid interactions');
  });

  test.each([
    ['fewer than 500 customers', histories.slice(0, 499), 600, /^.*499 customers ordered, at least 500 are needed$/m],
    ['less than 180 days', histories, 150, /^.*the orders span 150 days, at least 180 are needed$/m],
  ])('refuses %s', async (_, known, days, message) => {
    const file = join(folder, 'few.csv');
    await writeFile(file, csvOf(known));
    const { code, stdout, stderr } = await kizuna(
      `churn fit ${file} --brand acme --until ${iso(START + days * DAY_MS)} --out ${join(folder, 'few')}`,
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
    expect(existsSync(join(folder, 'few'))).toBe(false);
  });

  test('fails, and writes nothing, when the orders do not determine the model', async () => {
    const file = join(folder, 'never.csv');
    await writeFile(file, csvOf(Array.from({ length: 600 }, (_, place) => [START + (place % 200) * DAY_MS])));
    const { code, stdout } = await kizuna(
      `churn fit ${file} --brand acme --until ${UNTIL} --out ${join(folder, 'never')} --json`,
    );
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'failed' } });
    expect(stdout).toMatch(/mbg-nbd could not be fitted to the orders up to .*: .* runs away/);
    expect(existsSync(join(folder, 'never'))).toBe(false);
  });

  test('asks for what it needs', async () => {
    expect(await kizuna('churn fit --brand acme')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^--out: is missing/) as string,
    });
    const nowhere = await kizuna('churn fit --brand acme --dry-run');
    expect(nowhere).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^KIZUNA_KAFKA_BROKERS: is missing.* a file of orders/) as string,
    });
    expect(await kizuna(`churn fit ${csv} --brand ACME --dry-run`)).toMatchObject({ code: 2 });
    expect(await kizuna(`churn fit ${csv} --brand acme --model pareto-nbd --dry-run`)).toMatchObject({ code: 2 });
    const nobody = join(folder, 'nobody.csv');
    await writeFile(nobody, 'customer,date\n');
    const { code, stderr } = await kizuna(`churn fit ${nobody} --brand acme --dry-run`);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'no customer of brand acme ordered, as far as is known\n' });
  });
});

describe('churn backtest', () => {
  test('judges at the newest days whose horizon has passed, with a calibration table', async () => {
    const type = `churn backtest ${csv} --brand acme --until ${UNTIL} --horizon 60 --every 70 --cut-offs 3`;
    const { code, stdout } = await kizuna(`${type} --json`);
    expect(code).toBe(0);
    const { cutOffs, calibration } = JSON.parse(stdout) as {
      cutOffs: { at: string; customers: number; auc: number; baseRate: object; recency: object; parameters: object }[];
      calibration: { cases: number; from: number }[];
    };
    const newest = Date.parse(UNTIL) - 60 * DAY_MS;
    expect(cutOffs.map(({ at }) => at)).toEqual([newest - 140 * DAY_MS, newest - 70 * DAY_MS, newest].map(iso));
    // Each is judged by a model of its own.
    expect(new Set(cutOffs.map(({ parameters }) => JSON.stringify(parameters))).size).toBe(3);
    for (const { auc } of cutOffs) expect(auc).toBeGreaterThan(0.65);
    const cases = calibration.reduce((sum, bin) => sum + bin.cases, 0);
    expect(cases).toBe(cutOffs.reduce((sum, { customers }) => sum + customers, 0));

    const text = (await kizuna(type)).stdout;
    expect(text).toMatch(/^CUT-OFF +CUSTOMERS +LOST +BY +AUC +BRIER +LOG-LOSS +ECE +LIFT$/m);
    expect(text.match(/ base rate +0\.500 /g)).toHaveLength(3);
    expect(text.match(/ recency +0\.\d/g)).toHaveLength(3);
    expect(text).toMatch(/^0\.9 to 1\.0 +\d+ +0\.9\d+ +0\.\d+$/m);
  });

  test('says so when there is no such day', async () => {
    const { code, stderr } = await kizuna(`churn backtest ${csv} --brand acme --horizon 400`);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /nothing can be judged: .* 400 days after it; orders of 700 customers are known from 2024-01-01/,
    );
  });
});
