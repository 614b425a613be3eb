import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import { createTouchpoint } from '../../processors/touchpoint/processor.ts';
import { TOUCHPOINTS_MAX, type TouchpointTotals } from '../../processors/touchpoint/shown-touchpoints.ts';
import { CASE_SERIES } from '../../processors/touchpoint/totals.ts';
import { definitionsWith, TOUCHPOINTS } from '../harness/definition-sets.ts';

const MANY = Array.from({ length: 3 * TOUCHPOINTS_MAX }, (_, index) => `product/${index}`);

/** The totals of a processor whose brand `acme` lists these touchpoints. */
function totalsOf(shown: readonly string[] = []) {
  const touchpoints = new Map([['acme', { ...TOUCHPOINTS, id: 'acme', shown }]]);
  return createTouchpoint({ ...definitionsWith({}), touchpoints }).totals;
}

function count(
  totals: TouchpointTotals,
  names: readonly string[],
  of = totalsOf(),
  brandId = 'acme',
): TouchpointTotals {
  for (const touchpoint of names) of.contribute(totals, { brandId, touchpoint, series: CASE_SERIES.OPEN, by: 1 });
  return totals;
}

/** Open cases by name. */
function shownBy(totals: TouchpointTotals, of = totalsOf()): Record<string, number> {
  return Object.fromEntries([...of.gauges(totals)].map(({ labels, value }) => [labels['touchpoint'] ?? '', value]));
}

function repacked(totals: TouchpointTotals, of = totalsOf()): TouchpointTotals {
  const writer = new ByteWriter();
  of.pack(totals, writer);
  return of.unpack(new ByteReader(writer.copy()));
}

const sum = (shown: Record<string, number>): number => Object.values(shown).reduce((total, each) => total + each, 0);

describe('the touchpoints that gauges tell apart', () => {
  test('are all while there are few', () => {
    const names = MANY.slice(0, TOUCHPOINTS_MAX);
    const shown = shownBy(count(totalsOf().initial(), names));
    expect(shown).toEqual(Object.fromEntries(names.map((name) => [name, 1])));
  });

  test('are the same in every partition, in whichever order they come, and the others count together', () => {
    const forward = shownBy(count(totalsOf().initial(), MANY));
    const backward = shownBy(count(totalsOf().initial(), MANY.toReversed()));
    expect(backward).toEqual(forward);
    expect(Object.keys(forward)).toHaveLength(TOUCHPOINTS_MAX + 1);
    expect(forward['other']).toBe(MANY.length - TOUCHPOINTS_MAX);
    expect(sum(forward)).toBe(MANY.length);
    // A partition that knows some of them shows those, and perhaps more.
    const some = MANY.filter((_, index) => index % 2 === 0);
    const partly = shownBy(count(totalsOf().initial(), some));
    for (const name of Object.keys(forward)) if (some.includes(name)) expect(partly).toHaveProperty([name], 1);
  });

  test('lose nothing when one gives way, and nothing when they are packed meanwhile', () => {
    const whole = count(count(totalsOf().initial(), MANY), MANY);
    let packed = totalsOf().initial();
    for (const name of [...MANY, ...MANY]) packed = repacked(count(packed, [name]));
    expect(shownBy(packed)).toEqual(shownBy(whole));
    expect(sum(shownBy(whole))).toBe(2 * MANY.length);
  });

  test('are those that settings list, however many others there are, and for a brand with a list no others', () => {
    const shown = ['checkout', 'support'];
    const of = totalsOf(shown);
    const totals = count(of.initial(), [...MANY, ...shown, ...shown], of);
    expect(shownBy(totals, of)).toEqual({ checkout: 2, support: 2, other: MANY.length });
    count(totals, MANY, of, 'another');
    expect([...(totals.brands.get('another')?.keys() ?? [])]).toHaveLength(TOUCHPOINTS_MAX + 1);
    expect(shownBy(repacked(totals, of), of)).toEqual(shownBy(totals, of));
  });

  test('follow a list that came later, from the next start on', () => {
    const before = count(totalsOf().initial(), ['checkout', 'support', 'blog']);
    const writer = new ByteWriter();
    totalsOf().pack(before, writer);
    const of = totalsOf(['support']);
    expect(shownBy(of.unpack(new ByteReader(writer.copy())), of)).toEqual({ support: 1, other: 2 });
  });

  test('may be called what the others are called', () => {
    expect(shownBy(count(totalsOf().initial(), ['other', ...MANY]))['other']).toBe(MANY.length - TOUCHPOINTS_MAX + 1);
  });
});

describe('packed totals', () => {
  test('of version 1 are read', () => {
    const writer = new ByteWriter();
    writer.byte(1);
    for (const each of [1, 1]) writer.uint(each);
    writer.string('acme');
    writer.uint(1);
    writer.string('checkout');
    writer.uint(1);
    writer.uint(CASE_SERIES.OPEN);
    writer.int(3);
    expect(shownBy(totalsOf().unpack(new ByteReader(writer.copy())))).toEqual({ checkout: 3 });
  });

  test('of another version are refused', () => {
    expect(() => totalsOf().unpack(new ByteReader(Buffer.from([9])))).toThrow('version 9');
  });
});
