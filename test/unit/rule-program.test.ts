import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareTexts } from '../../processors/customer/rule-comparisons.ts';
import { compiledOn } from '../harness/compiled-rule.ts';
import { documents, rules } from '../harness/rule-generators.ts';
import { finds } from '../harness/rule-interpreter.ts';

const NOTHING = { segments: [] };
const plan = (value: unknown) => ({ segments: [], attributes: { plan: value } });

describe('a compiled rule means what find() means', () => {
  test.each([
    ['null equals missing', { 'attributes.plan': null }, NOTHING, true],
    ['null equals null', { 'attributes.plan': null }, plan(null), true],
    ['null does not equal a value', { 'attributes.plan': null }, plan('x'), false],
    ['$ne matches missing', { 'attributes.plan': { $ne: 'gold' } }, NOTHING, true],
    ['$nin matches missing', { 'attributes.plan': { $nin: ['gold'] } }, NOTHING, true],
    ['$nin with null does not match missing', { 'attributes.plan': { $nin: ['gold', null] } }, NOTHING, false],
    ['$in with null matches missing', { 'attributes.plan': { $in: ['gold', null] } }, NOTHING, true],
    ['$exists is true of null', { 'attributes.plan': { $exists: true } }, plan(null), true],
    ['$exists false is missing', { 'attributes.plan': { $exists: false } }, NOTHING, true],
    ['a text is never greater than a number', { 'attributes.plan': { $gt: 3 } }, plan('5'), false],
    ['a text is never less than a number', { 'attributes.plan': { $lt: 3 } }, plan('1'), false],
    ['$not of a comparison is true of another type', { 'attributes.plan': { $not: { $gt: 3 } } }, plan('5'), true],
    ['$not of a comparison is true of missing', { 'ages.orders': { $not: { $gte: 30 } } }, NOTHING, true],
    ['missing is not less than a number', { 'ages.orders': { $lt: 30 } }, NOTHING, false],
    ['$gte null is null', { 'ages.orders': { $gte: null } }, NOTHING, true],
    ['$gt null is nothing', { 'ages.orders': { $gt: null } }, NOTHING, false],
    ['NaN is not less than a number', { 'ages.orders': { $lt: 30 } }, { segments: [], ages: { orders: NaN } }, false],
    ['NaN is not that number', { 'ages.orders': { $ne: 30 } }, { segments: [], ages: { orders: NaN } }, true],
    ['false is less than true', { identified: { $lt: true } }, { segments: [], identified: false }, true],
    ['false does not equal 0', { identified: 0 }, { segments: [], identified: false }, false],
    ['any element of an array', { 'attributes.plan': 'b' }, plan(['a', 'b']), true],
    [
      'two bounds by two elements',
      { 'ages.orders': { $gt: 4, $lt: 2 } },
      { segments: [], ages: { orders: [1, 5] } },
      true,
    ],
    ['$all of one value', { 'attributes.plan': { $all: ['b'] } }, plan('b'), true],
    ['$all of nothing', { 'attributes.plan': { $all: [] } }, plan('b'), false],
    ['a segment', { segments: 'vip' }, { segments: ['new', 'vip'] }, true],
    ['not a segment', { segments: { $ne: 'vip' } }, { segments: ['new'] }, true],
    ['none of some segments', { segments: { $nin: ['vip', 'new'] } }, { segments: ['new'] }, false],
    ['every one of some segments', { segments: { $all: ['vip', 'new'] } }, { segments: ['new'] }, false],
    ['$elemMatch on segments', { segments: { $elemMatch: { $in: ['vip'] } } }, { segments: ['vip'] }, true],
    [
      '$elemMatch by one element alone',
      { segments: { $elemMatch: { $gt: 'new', $lt: 'vip' } } },
      { segments: ['new', 'vip'] },
      false,
    ],
    ['two bounds by two segments', { segments: { $gt: 'new', $lt: 'vip' } }, { segments: ['new', 'vip'] }, true],
    ['another segment than this one', { segments: { $elemMatch: { $ne: 'vip' } } }, { segments: ['vip'] }, false],
    ['so many segments', { segments: { $size: 2 } }, { segments: ['new', 'vip'] }, true],
    ['no segments', { segments: { $size: 0 } }, NOTHING, true],
    ['$size counts a list only', { 'attributes.plan': { $size: 1 } }, plan('gold'), false],
    ['$size of a list', { 'attributes.plan': { $size: 2 } }, plan(['a', ['b']]), true],
    [
      'a list inside a list is one element',
      { 'attributes.plan': { $elemMatch: { $eq: 'b' } } },
      plan(['a', ['b']]),
      false,
    ],
    ['and can be asked as a list', { 'attributes.plan': { $elemMatch: { $size: 1 } } }, plan(['a', ['b']]), true],
    [
      'every one of two conditions',
      { segments: { $all: [{ $elemMatch: { $gt: 'new' } }, { $elemMatch: { $lt: 'vip' } }] } },
      { segments: ['new', 'vip'] },
      true,
    ],
    ['a date is no number', { 'ages.orders': { $gt: 0 } }, { segments: [], ages: { orders: new Date(5) } }, false],
    [
      'a date exists',
      { 'ages.orders': { $exists: true, $ne: 5 } },
      { segments: [], ages: { orders: new Date(5) } },
      true,
    ],
    ['the empty rule is true of everybody', {}, NOTHING, true],
    ['$nor is none of', { $nor: [{ segments: 'vip' }, { 'attributes.plan': 'gold' }] }, plan('gold'), false],
    ['emoji sort behind U+FF01', { 'attributes.plan': { $gt: '\uff01' } }, plan('\u{1f600}'), true],
  ])('%s', (_, rule, document, expected) => {
    expect(compiledOn(rule)(document)).toBe(expected);
    expect(finds(document, rule)).toBe(expected);
  });

  test('as an interpreter written apart says, for any rule and document', () => {
    fc.assert(
      fc.property(rules, fc.array(documents, { minLength: 1, maxLength: 8 }), (rule, drawn) => {
        const matches = compiledOn(rule);
        for (const document of drawn) expect(matches(document)).toBe(finds(document, rule));
      }),
      { numRuns: 2_000 },
    );
  });

  test('texts are ordered as their UTF-8 bytes', () => {
    // Around every border between UTF-16 and UTF-8: ASCII, two and three bytes, the surrogates' neighbours, four bytes.
    const points = [0x41, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xff01, 0xffff, 0x10000, 0x1f600, 0x10ffff];
    const characters = fc
      .array(fc.constantFrom(...points), { maxLength: 4 })
      .map((codes) => String.fromCodePoint(...codes));
    fc.assert(
      fc.property(characters, characters, (left, right) => {
        const bytes = Buffer.compare(Buffer.from(left), Buffer.from(right));
        expect(Math.sign(compareTexts(left, right))).toBe(bytes);
      }),
      { numRuns: 500 },
    );
  });
});
