import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openInput, readInteractions, type ReplayLine } from '../../processors/cli/replay-input.ts';

const SMALLEST = {
  eventId: 'e-1',
  brandId: 'acme',
  userId: 'u',
  channel: 'WEB',
  type: 'PAGE_VIEW',
  occurredAt: '2026-05-04T10:07:00Z',
};
const AT = Date.UTC(2026, 4, 4, 10, 7);

async function read(text: string | Buffer): Promise<ReplayLine[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kizuna-input-'));
  try {
    const file = join(folder, 'interactions.ndjson');
    await writeFile(file, text);
    const lines: ReplayLine[] = [];
    await using input = await openInput(file);
    for await (const some of readInteractions(input)) lines.push(...some);
    return lines;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const readOne = async (json: object): Promise<ReplayLine | undefined> => (await read(JSON.stringify(json)))[0];

/** Where each line stands in time. */
const timesOf = (lines: readonly ReplayLine[]): number[] => lines.map(({ timestamp }) => timestamp);

describe('a line that is an interaction', () => {
  test('without channel or type holds what an unknown one is: the type is then skipped, not dead-lettered', async () => {
    expect(await readOne({ ...SMALLEST, channel: undefined, type: undefined })).toMatchObject({
      interaction: { channel: 'UNKNOWN', type: 'UNKNOWN' },
    });
  });

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

  test('may hold U+2028, U+2029 and a lone CR: it ends with LF alone', async () => {
    const text = 'two\u2028or\u2029three lines';
    const line = `${JSON.stringify({ ...SMALLEST, text })}\r `;
    expect(line).toContain(text);
    expect(await read(line)).toMatchObject([{ interaction: { text } }]);
  });

  test('is whole however its bytes arrive', async () => {
    // Longer than what is read at once, and its characters of three bytes fall across every such border.
    const texts = ['', 'a', 'ab'].map((start) => start + '線'.repeat(100_000));
    const lines = await read(texts.map((text) => JSON.stringify({ ...SMALLEST, text })).join('\n'));
    expect(lines.map((line) => 'interaction' in line && line.interaction.text)).toEqual(texts);
  });

  test('has the number that it has in the file, blank lines counted', async () => {
    const text = JSON.stringify(SMALLEST);
    const lines = await read(`\n${text}\n \r\n\nrubbish\n${text}\n\n`);
    expect(lines.map(({ number }) => number)).toEqual([2, 5, 6]);
  });
});

describe('a line that is none', () => {
  test.each([
    ['not JSON', '{"eventId": '],
    ['an array', '[]'],
    ['null', 'null'],
    ['a field that there is not', JSON.stringify({ ...SMALLEST, shoeSize: 43 })],
    ['no event id', JSON.stringify({ ...SMALLEST, eventId: undefined })],
    ['a field of another kind', JSON.stringify({ ...SMALLEST, engagedMs: 'long' })],
    ['a record time that is none', JSON.stringify({ ...SMALLEST, timestamp: 'yesterday' })],
    ['a record time before 1970', JSON.stringify({ ...SMALLEST, timestamp: -1 })],
  ])('%s: keeps its bytes and says why', async (_, text) => {
    const [line] = await read(text);
    expect(line).toMatchObject({ bytes: Buffer.from(text), fault: expect.stringMatching(/\S/) as string });
  });

  test('not UTF-8: keeps its very bytes', async () => {
    const text = Buffer.from(JSON.stringify({ ...SMALLEST, text: 'caf?' }));
    text[text.indexOf('?')] = 0xe9;
    const lines = await read(Buffer.concat([text, Buffer.from('\r\n'), Buffer.from([0xff, 0x0d, 0xfe])]));
    expect(lines).toEqual([
      { bytes: text, fault: 'is not JSON: not UTF-8', number: 1, timestamp: 0 },
      { bytes: Buffer.from([0xff, 0x0d, 0xfe]), fault: 'is not JSON: not UTF-8', number: 2, timestamp: 0 },
    ]);
  });

  test('stands at the time of the line before it', async () => {
    expect(timesOf(await read(`rubbish\n${JSON.stringify(SMALLEST)}\nrubbish\n`))).toEqual([0, AT, AT]);
  });
});
