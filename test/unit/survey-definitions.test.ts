import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkDefinitions } from '../../processors/definitions/check.ts';
import { loadDefinitions, shippedDefinitions } from '../../processors/definitions/load.ts';
import { TOUCHPOINTS } from '../harness/definition-sets.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kizuna-surveys-'));
  for (const each of ['surveys', 'touchpoints', 'sentiment']) await mkdir(join(folder, each));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const write = (file: string, content: object): Promise<void> => writeFile(join(folder, file), JSON.stringify(content));
const faults = async (): Promise<string[]> =>
  (await checkDefinitions(folder)).map(({ where, message }) => `${where}: ${message}`);

describe('a survey', () => {
  test('is as usual where its file says nothing', async () => {
    await write('surveys/ease.json', {
      id: 'ease',
      metric: 'CES',
      min: 1,
      max: 7,
      good: 'high',
      satisfiedFrom: 6,
      dissatisfiedFrom: 3,
    });
    await write('surveys/after-chat.json', { id: 'after-chat', metric: 'CSAT' });
    const { surveys } = await loadDefinitions(folder);
    expect(surveys.get('ease')).toMatchObject({ metric: 'CES', max: 7, good: 'high', file: 'surveys/ease.json' });
    expect(surveys.get('after-chat')).toMatchObject({
      brands: ['*'],
      min: 1,
      max: 10,
      good: 'high',
      satisfiedFrom: 7,
      dissatisfiedFrom: 4,
    });
  });

  test('that cannot be is refused, every fault with its place', async () => {
    await write('surveys/a.json', { id: 'a', metric: 'CSAT', min: 5, max: 5 });
    await write('surveys/b.json', { id: 'b', metric: 'CSAT', max: 5 });
    await write('surveys/c.json', { id: 'c', metric: 'CES', satisfiedFrom: 4, dissatisfiedFrom: 2 });
    await write('surveys/d.json', { id: 'd', metric: 'NPS', min: 1, satisfiedFrom: 8 });
    await write('surveys/f.json', { id: 'f', brands: [], metric: 'CSAT' });
    await write('surveys/e.json', { id: 'e', metric: 'NPS', satisfyedFrom: 8 });
    await write('touchpoints/default.json', { id: 'default', smoothing: 0, inControlAnswers: 100, subgroupAnswers: 6 });
    expect(await faults()).toEqual([
      'surveys/a.json: max: must be above min, 5',
      'surveys/b.json: satisfiedFrom: must be on the scale, 1 to 5',
      'surveys/c.json: satisfiedFrom: must be nearer to the good end, low, than dissatisfiedFrom, 2',
      'surveys/d.json: min: must be 0, or it is no NPS',
      'surveys/d.json: satisfiedFrom: must be 9, or it is no NPS',
      'surveys/e.json: satisfyedFrom: unknown field; did you mean "satisfiedFrom"?',
      'surveys/f.json: brands: Too small: expected array to have >=1 items',
      'touchpoints/default.json: smoothing: Too small: expected number to be >=0.05',
      'touchpoints/default.json: inControlAnswers: must be at least 20 times subgroupAnswers',
    ]);
  });
});

describe('touchpoint settings', () => {
  test('are the shipped ones for a brand without its own, and for a folder without a default', async () => {
    await write('touchpoints/acme.json', { id: 'acme', caseDueHours: 4 });
    const { touchpoints, defaultTouchpoints } = await loadDefinitions(folder);
    expect(touchpoints.get('acme')).toEqual({
      ...TOUCHPOINTS,
      id: 'acme',
      caseDueHours: 4,
      file: 'touchpoints/acme.json',
    });
    expect(defaultTouchpoints).toEqual(TOUCHPOINTS);
  });

  test('are part of what the hash is of', async () => {
    const before = (await loadDefinitions(folder)).hash;
    await write('touchpoints/default.json', { id: 'default', caseDueHours: 4 });
    expect((await loadDefinitions(folder)).hash).not.toBe(before);
    await write('touchpoints/default.json', { id: 'default', subgroupAnswers: 10, inControlAnswers: 150 });
    expect(await faults()).toEqual([
      'touchpoints/default.json: inControlAnswers: must be at least 20 times subgroupAnswers',
    ]);
  });
});

describe('a sentiment model', () => {
  const model = { language: 'de', texts: [1, 2, 3], sharpness: 0.5, grams: { gut: [0, 0, 2] } };

  test('is read by its language, beside the shipped ones, and is part of what the hash is of, but for its quality', async () => {
    const before = (await loadDefinitions(folder)).hash;
    await write('sentiment/de.json', model);
    const { sentiment, hash } = await loadDefinitions(folder);
    expect([...sentiment.keys()]).toEqual(['ja', 'de']);
    expect(sentiment.get('de')).toMatchObject({ texts: [1, 2, 3], grams: new Map([['gut', [0, 0, 2]]]) });
    expect(hash).not.toBe(before);
    await write('sentiment/de.json', { ...model, quality: { accuracy: 0.9 } });
    expect((await loadDefinitions(folder)).hash).toBe(hash);
  });

  test('that cannot be is refused, every fault with its place', async () => {
    await write('sentiment/de.json', { ...model, language: 'da' });
    await write('sentiment/deu-AT.json', { ...model, language: 'deu-AT' });
    await write('sentiment/en.json', { language: 'en', texts: [0, 1], sharpness: 2, grams: { bad: [1, -1, 0.5] } });
    await write('sentiment/fr.json', { ...model, language: 'fr', grams: { bien: [0, 0, 2] } });
    expect(await faults()).toEqual([
      'sentiment/de.json: language: is "da", but the file is named "de"; both must be the same',
      'sentiment/deu-AT.json: language: must be the primary subtag of a language, such as "ja"',
      'sentiment/en.json: texts: Too small: expected array to have >=3 items',
      'sentiment/en.json: sharpness: Too big: expected number to be <=1',
      'sentiment/en.json: grams.bad.1: Too small: expected number to be >=0',
      'sentiment/en.json: grams.bad.2: Invalid input: expected int, received number',
      'sentiment/fr.json: grams: must be of n-grams of 1 to 3 characters',
    ]);
  });
});

test('the surveys of the simulated shop are shipped, for that brand alone', async () => {
  const { surveys } = await loadDefinitions(shippedDefinitions);
  expect([...surveys.keys()].toSorted()).toEqual(['delivery', 'relationship', 'support']);
  for (const { brands } of surveys.values()) expect(brands).toEqual(['demo']);
});
