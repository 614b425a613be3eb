import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { replay } from '../../processors/cli/replay-run.ts';
import { loadDefinitions } from '../../processors/definitions/load.ts';
import { formatPosition } from '../../processors/runtime/position.ts';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

// <snippet>
/** Where reading stands: `topic partition source` → the last position seen. Keep it where the results are kept. */
const seen = new Map<string, readonly [n: number, index: number]>();

/** Whether the record was read before. To be asked once for each record, in the order of its partition. */
function isRepeat(topic: string, partition: number, position: string): boolean {
  const [, source, n, index] = /^(.+):(\d+)\.(\d+)$/.exec(position) ?? [];
  if (source === undefined) return false;
  const key = `${topic} ${partition} ${source}`;
  const [lastN, lastIndex] = seen.get(key) ?? [-1, -1];
  if (Number(n) < lastN || (Number(n) === lastN && Number(index) <= lastIndex)) return true;
  seen.set(key, [Number(n), Number(index)]);
  return false;
}
// </snippet>

/** The README's code block that begins with `start`, without its fence. */
function blockOf(language: string, start: string): string {
  const from = README.indexOf(`\`\`\`${language}\n${start}`);
  const to = README.indexOf('\n```', from);
  if (from < 0 || to < 0) throw new Error(`README.md has no block of ${language} that begins with ${start}`);
  return README.slice(from + `\`\`\`${language}\n`.length, to);
}

describe("the README's helper for readers", () => {
  test('is the one that is tested here', () => {
    const [, here = ''] =
      /\/\/ <snippet>\n([\s\S]*?)\n\/\/ <\/snippet>/.exec(readFileSync(import.meta.filename, 'utf8')) ?? [];
    expect(blockOf('ts', '/** Where reading stands')).toBe(here);
  });

  test('lets a source through once, whatever is sent again, and knows sources and partitions apart', () => {
    const source = 'kizuna.customer.v1@1/customer-events.v1/3';
    const read = (partition: number, from: string, ...places: readonly [number, number][]): boolean[] =>
      places.map(([n, index]) => isRepeat('churn-risk.v1', partition, formatPosition(from, n, index)));
    // Suppressed outputs leave gaps in the index; blocks without outputs leave gaps in n.
    expect(read(0, source, [0, 0], [0, 2], [3, 1])).toEqual([false, false, false]);
    // A take-over sends again from an earlier block on.
    expect(read(0, source, [0, 2], [3, 1], [3, 4], [10, 0])).toEqual([true, true, false, false]);
    expect(read(0, source, [9, 9], [10, 0], [10, 1])).toEqual([true, true, false]);
    expect(read(0, 'kizuna.customer.v1@2/customer-events.v1/3', [0, 0])).toEqual([false]);
    expect(read(1, source, [0, 0])).toEqual([false]);
    expect(isRepeat('churn-risk.v1', 0, 'no position')).toBe(false);
    expect(isRepeat('churn-risk.v1', 0, 'no position')).toBe(false);
  });
});

describe("the README's segment and interactions", () => {
  let folder: string;
  let published: { value: Record<string, unknown> & { changes: { change: string; segmentId: string }[] } }[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kizuna-readme-'));
    await mkdir(join(folder, 'definitions', 'segments'), { recursive: true });
    const segment = join(folder, 'definitions', 'segments', 'second-order.json');
    await writeFile(segment, blockOf('json', '{\n  "id": "second-order"'));
    const file = join(folder, 'orders.ndjson');
    await writeFile(file, blockOf('jsonl', '{"eventId":"e-1"'));
    const definitions = await loadDefinitions(join(folder, 'definitions'));
    await replay({ file, to: folder, definitions, until: Date.parse('2026-05-01T00:00:00Z') });
    const lines = (await readFile(join(folder, 'segment-memberships.v1.ndjson'), 'utf8')).trimEnd().split('\n');
    published = lines.map((line) => JSON.parse(line) as (typeof published)[number]);
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test('give the lines that it shows', () => {
    const lines = published.map(({ value }) =>
      JSON.stringify([
        new Date(Number(value['occurredAt'])).toISOString().replace('.000Z', 'Z'),
        value['cause'],
        ...value.changes.flatMap(({ change, segmentId }) => [change, segmentId]),
      ]),
    );
    expect(lines.join('\n')).toBe(blockOf('jsonl', '["2026-03-10'));
  });

  test('give the record that it shows, but for the hash of the definitions', () => {
    const shown = JSON.parse(blockOf('json', '{\n  "brandId": "demo"')) as Record<string, unknown>;
    expect({ ...published[1]?.value, definitionsVersion: shown['definitionsVersion'] }).toEqual(shown);
    expect(Object.keys(shown)).toEqual(Object.keys(published[1]?.value ?? {}));
  });
});
