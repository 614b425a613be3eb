import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadDefinitions, shippedDefinitions } from '../../processors/definitions/load.ts';
import { crossValidate, macroF1 } from '../../processors/sentiment/cross-validation.ts';
import { feelingOf, type RatedText } from '../../processors/sentiment/rated-text.ts';
import { GRAMS_MAX, train } from '../../processors/sentiment/train.ts';
import { kizuna } from '../harness/recording-terminal.ts';

const RATED = fileURLToPath(new URL('../../processors/sentiment/ja.ndjson', import.meta.url));
const SHIPPED = join(shippedDefinitions, 'sentiment/ja.json');

interface Trained {
  readonly texts: number;
  readonly repeated: number;
  readonly balance: Record<string, number>;
  readonly crossValidation: { readonly accuracy: number; readonly macroF1: number };
  readonly changed: boolean;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kizuna-sentiment-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('the shipped model is what the command makes of the texts in the repository, byte for byte', async () => {
  const to = join(folder, 'definitions/sentiment/ja.json');
  const { code, stdout } = await kizuna(`sentiment train ${RATED} --to ${to}`);
  expect(code).toBe(0);
  expect(stdout).toMatch(/accuracy 0\.\d{3}, macro-F1 0\.\d{3}/);
  expect(await readFile(to, 'utf8')).toBe(await readFile(SHIPPED, 'utf8'));
  // It loads, and takes the place of the shipped one.
  const own = (await loadDefinitions(join(folder, 'definitions'))).sentiment.get('ja');
  expect(own?.version).toBe((await loadDefinitions(shippedDefinitions)).sentiment.get('ja')?.version);
});

test('the shipped model tells three feelings of texts that it was not trained on', async () => {
  const { code, stdout } = await kizuna(`sentiment train ${RATED} --to ${SHIPPED} --dry-run --json`);
  const { texts, balance, crossValidation, changed } = JSON.parse(stdout) as Trained;
  expect({ code, changed, texts }).toEqual({ code: 0, changed: false, texts: 477 });
  expect(balance).toEqual({ negative: 168, neutral: 142, positive: 167 });
  expect(crossValidation.accuracy).toBeGreaterThan(0.75);
  expect(crossValidation.macroF1).toBeGreaterThan(0.75);
});

describe('sentiment train', () => {
  const lines = (count: number, of: (index: number) => object): string =>
    Array.from({ length: count }, (_, index) => JSON.stringify(of(index))).join('\n');
  const given = async (content: string): Promise<string> => {
    const file = join(folder, 'given.ndjson');
    await writeFile(file, content);
    return file;
  };
  const to = (): string => join(folder, 'out/en.json');
  const words = ['bad', 'fair', 'good'];
  /** Digits are all read as one, letters are not. */
  const name = (index: number): string =>
    [index / 676, index / 26, index].map((each) => String.fromCharCode(97 + (Math.floor(each) % 26))).join('');
  const three = (index: number) => ({
    text: `${words[index % 3]} ${name(index)}`,
    rating: 1 + 2 * (index % 3),
  });

  test('refuses too few texts, and too few of a kind, and names the least', async () => {
    const few = await kizuna(`sentiment train ${await given(lines(199, three))} --to ${to()}`);
    expect(few).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('199 different texts, at least 200') as string,
    });
    const oneSided = lines(300, (index) => ({ text: `good ${name(index)}`, rating: index < 30 ? 1 : 5 }));
    const { code, stderr } = await kizuna(`sentiment train ${await given(oneSided)} --to ${to()}`);
    expect({ code, stderr }).toMatchObject({ code: 1 });
    expect(stderr).toContain('30 negative, 0 neutral texts, at least 40 of each are needed');
    expect(existsSync(to())).toBe(false);
  });

  test('counts a repeated text once, takes other scales, and a dry run writes nothing', async () => {
    const scaled = (index: number) => ({ ...three(index), rating: 5 * (index % 3), scale: [0, 10], by: 'u:1' });
    const file = await given(`${lines(240, three)}\n\n${lines(240, scaled)}\n`);
    const { code, stdout } = await kizuna(`sentiment train ${file} --to ${to()} --dry-run --json --folds 4`);
    expect(code).toBe(2);
    expect(existsSync(to())).toBe(false);
    const trained = JSON.parse(stdout) as Trained;
    expect(trained).toMatchObject({ texts: 240, repeated: 240 });
    expect(trained.crossValidation.accuracy).toBe(1);
  });

  test.each<[string, string]>([
    ['{"text": "a"}', 'line 1: rating'],
    ['{"text": "secret", "rating": 6}', 'line 1: rating: 6 is not on the scale 1 to 5'],
    ['{"text": "secret", "rating": 3, "scale": [3, 3]}', 'line 1: rating'],
    ['\n{"text": "", "rating": 3}', 'line 2: text'],
    ['secret', 'line 1: is not JSON'],
    ['null', 'line 1: it'],
  ])('names the line that is none, never its text: %s', async (content, message) => {
    const { code, stderr } = await kizuna(`sentiment train ${await given(content)} --to ${to()}`);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('secret');
  });

  test('wants to know the language', async () => {
    const { code, stderr } = await kizuna(`sentiment train ${RATED} --to ${join(folder, 'model.json')}`);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('--to') as string });
  });
});

describe('training', () => {
  test.each<[number, readonly [number, number], number]>([
    [1, [1, 5], 0],
    [2, [1, 5], 0],
    [3, [1, 5], 1],
    [4, [1, 5], 2],
    [3, [0, 10], 0],
    [4, [0, 10], 1],
    [6, [0, 10], 1],
    [7, [0, 10], 2],
    [1, [5, 1], 2],
    [5, [5, 1], 0],
  ])('takes %i on %j for feeling %i', (rating, scale, feeling) => {
    expect(feelingOf(rating, scale)).toBe(feeling);
  });

  test('does not depend on the order of the texts, and keeps at most so many n-grams, whole characters only', () => {
    const rated = Array.from({ length: 900 }, (_, index): RatedText => {
      const text = Array.from({ length: 40 }, (_, place) =>
        String.fromCodePoint(0x4e00 + ((index * 41 + place * 7) % 9000)),
      );
      return { text: `${text.join('')}😀`, feeling: index % 3 };
    });
    const trained = train([...rated, ...rated]);
    expect(trained.grams.size).toBe(GRAMS_MAX);
    expect([...trained.grams.keys()].filter((gram) => !gram.isWellFormed())).toEqual([]);
    const reversed = train([...rated, ...rated].reverse());
    expect([...reversed.grams]).toEqual([...trained.grams]);
  });

  test('is judged by macro-F1: of 2 of 3 and 1 of 2 right, and a class that nobody told, a mean of .5', () => {
    const confusion = [
      [2, 1, 0, 0],
      [1, 1, 0, 0],
      [0, 0, 0, 1],
    ];
    expect(macroF1(confusion)).toBeCloseTo((4 / 6 + 2 / 4 + 0) / 3, 12);
    expect(macroF1([[0, 0, 0, 0]])).toBe(0);
  });

  test('without anything in common tells nothing, and says so', () => {
    const rated = ['あああ', 'いいい', 'ううう'].map((text, feeling): RatedText => ({ text, feeling }));
    expect(
      crossValidate([...rated, ...rated.map(({ text, feeling }) => ({ text: `${text}${feeling}`, feeling }))], 2),
    ).toMatchObject({
      folds: 2,
      confusion: [
        [0, 0, 0, 2],
        [0, 0, 0, 2],
        [0, 0, 0, 2],
      ],
      accuracy: 0,
      evidence: 0,
    });
  });
});
