import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readInteractions, type ReplayLine } from '../../processors/cli/replay-input.ts';

const SMALLEST = {
  eventId: 'e-1',
  brandId: 'acme',
  userId: 'u',
  channel: 'WEB',
  type: 'PAGE_VIEW',
  occurredAt: '2026-05-04T10:07:00Z',
};
const AT = Date.UTC(2026, 4, 4, 10, 7);

async function read(text: string): Promise<ReplayLine[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kizuna-input-'));
  try {
    const file = join(folder, 'interactions.ndjson');
    await writeFile(file, text);
    const lines: ReplayLine[] = [];
    for await (const line of readInteractions(file)) lines.push(line);
    return lines;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const readOne = async (json: object): Promise<ReplayLine | undefined> => (await read(JSON.stringify(json)))[0];

/** Where each line stands in time. */
const timesOf = (lines: readonly ReplayLine[]): number[] => lines.map(({ timestamp }) => timestamp);

describe('a line that is an interaction', () => {
  test('needs no more than who, where, what and when: the rest is null or its default', async () => {
    expect(await readOne(SMALLEST)).toMatchObject({
      timestamp: AT,
      interaction: { eventId: 'e-1', occurredAt: AT, order: null, engagedMs: null, attributes: {} },
    });
  });

  test.each([
    ['ISO 8601', '2026-05-04T10:08:00Z', AT + 60_000],
    ['ISO 8601 with an offset', '2026-05-04T19:08:00+09:00', AT + 60_000],
    ['epoch milliseconds', AT + 60_000, AT + 60_000],
  ])('has a record time of its own as %s', async (_, timestamp, expected) => {
    expect(await readOne({ ...SMALLEST, timestamp })).toMatchObject({ timestamp: expected });
  });

  test('may end with CR LF, and the last without an end', async () => {
    const text = JSON.stringify(SMALLEST);
    expect(timesOf(await read(`${text}\r\n\r\n${text}`))).toEqual([AT, AT]);
  });
});

describe('a line that is none', () => {
  test.each([
    ['not JSON', '{"eventId": '],
    ['an array', '[]'],
    ['null', 'null'],
    ['a field that there is not', JSON.stringify({ ...SMALLEST, shoeSize: 43 })],
    ['no event id', JSON.stringify({ ...SMALLEST, eventId: undefined })],
    ['no channel', JSON.stringify({ ...SMALLEST, channel: undefined })],
    ['a field of another kind', JSON.stringify({ ...SMALLEST, engagedMs: 'long' })],
    ['a record time that is none', JSON.stringify({ ...SMALLEST, timestamp: 'yesterday' })],
    ['a record time before 1970', JSON.stringify({ ...SMALLEST, timestamp: -1 })],
  ])('%s: keeps its bytes and says why', async (_, text) => {
    const [line] = await read(text);
    expect(line).toMatchObject({ bytes: Buffer.from(text), fault: expect.stringMatching(/\S/) as string });
  });

  test('stands at the time of the line before it', async () => {
    expect(timesOf(await read(`rubbish\n${JSON.stringify(SMALLEST)}\nrubbish\n`))).toEqual([0, AT, AT]);
  });
});
