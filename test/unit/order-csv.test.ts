import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readOrderCsv } from '../../processors/cli/order-csv.ts';
import { openInput } from '../../processors/cli/replay-input.ts';

let folder: string;
const file = () => join(folder, 'orders.csv');
const day = (text: string): number => Date.parse(text);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kizuna-orders-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function read(text: string): Promise<number[][]> {
  await writeFile(file(), text);
  await using input = await openInput(file());
  return await readOrderCsv('orders.csv', input, () => undefined);
}

describe('orders as CSV', () => {
  test('are found by their columns, days and times, sorted', async () => {
    const text =
      '\uFEFForder,Date,"customer",note\r\n1,2026-03-02,ada,\r\n2,2026-03-01T09:30:00+09:00,ada,x\r\n\r\n3,2026-04-01,"bob, jr ""b""","a,b"\r\n';
    expect(await read(text)).toEqual([
      [day('2026-03-01T00:30:00Z'), day('2026-03-02T00:00:00Z')],
      [day('2026-04-01T00:00:00Z')],
    ]);
  });

  test('may be none', async () => {
    expect(await read('')).toEqual([]);
    expect(await read('customer,date\n')).toEqual([]);
  });

  test.each([
    ['customer;date\na;2026-03-02\n', /first line must name the columns .* missing: customer, date$/],
    ['customer,day\na,2026-03-02\n', /missing: date$/],
    ['customer,date\na,2026-03-02\na,2026-13-02\n', /^orders\.csv line 3: the date is none/],
    ['customer,date\na,2026-03-02T09:30:00\n', /line 2: the date is none/],
    ['customer,date\na,02/03/2026\n', /line 2: the date is none/],
    ['customer,date\na,1969-03-02\n', /line 2: the date is none/],
    ['customer,date\n ,2026-03-02\n', /line 2: has no customer/],
    ['customer,date\n"a,2026-03-02\n', /line 2: a quotation mark/],
    ['customer,date\na\n', /line 2: the date is none/],
  ])('are refused with the line: %j', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });
});
