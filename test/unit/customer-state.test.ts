import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import { fingerprint, readFingerprint, writeFingerprint } from '../../processors/core/fingerprint.ts';
import { leaving } from '../../processors/customer/flips.ts';
import { MEASURES } from '../../processors/customer/features.ts';
import { OpenState } from '../../processors/customer/open-state.ts';
import { readSegmentList, segmentList } from '../../processors/customer/segment-list.ts';
import { customerPacking, initialState, type CustomerState } from '../../processors/customer/state.ts';
import { newOutcomes, packOutcomes } from '../../processors/customer/outcome-totals.ts';
import { customerTotals } from '../../processors/customer/totals.ts';

const DAY = 86_400_000;
const T = Date.UTC(2026, 0, 1);

function repacked(state: CustomerState): CustomerState {
  const writer = new ByteWriter();
  customerPacking.pack(state, writer);
  return customerPacking.unpack(new ByteReader(writer.copy()));
}

describe('a packed customer', () => {
  test('is the same after unpacking, whatever is absent', () => {
    const due = fc.oneof(fc.constant(Infinity), fc.integer({ min: T, max: T + 500 * DAY }));
    const state = fc.record({
      at: fc.constant(T),
      due,
      rules: fc.nat(2 ** 32 - 1),
      mustEvaluate: fc.boolean(),
      mustPublishChurn: fc.boolean(),
      mustPublishTraits: fc.boolean(),
      churn: fc.oneof(fc.constant(-1), fc.double({ min: 0, max: 1, noNaN: true, noDefaultInfinity: true })),
      churnDue: due,
      traitsAt: fc.oneof(fc.constant(-1), fc.integer({ min: T - DAY, max: T })),
      ratioDue: fc.oneof(
        fc.constant(Infinity),
        fc.nat(9_000_000).map((slot) => slot * 300_000),
      ),
      segments: fc.array(fc.string({ minLength: 1 }), { maxLength: 5 }).map(segmentList),
      body: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
      parts: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(
      fc.property(state, fc.string(), (changes, subject) => {
        const before: CustomerState = { ...initialState(`acme|u:${subject}`), ...changes };
        expect(repacked(before)).toEqual(before);
      }),
    );
  });

  test('of an unknown version is refused', () => {
    const read = (): unknown => customerPacking.unpack(new ByteReader(Buffer.from([9, 0, 0, 0])));
    expect(read).toThrow(expect.objectContaining({ code: 'store_unreadable', retriable: false }));
    expect(() => customerTotals.unpack(new ByteReader(Buffer.from([9])))).toThrow(/version 9/);
  });

  test('of version 1, whose flags were one byte, is read', () => {
    const before: CustomerState = {
      ...initialState('acme|u:1'),
      ...{ at: T, churn: 0.25, churnDue: T + DAY },
    };
    const writer = new ByteWriter();
    customerPacking.pack(before, writer);
    const bytes = writer.copy();
    // Version, key with its length, clock: then the flags, which take two bytes now.
    const flagsAt = new ByteReader(bytes);
    flagsAt.byte();
    flagsAt.string();
    flagsAt.uint();
    const start = flagsAt.position;
    const flags = flagsAt.uint();
    expect(flags).toBeGreaterThan(127);
    const first = Buffer.concat([bytes.subarray(0, start), Buffer.from([flags]), bytes.subarray(flagsAt.position)]);
    first[0] = 1;
    expect(customerPacking.unpack(new ByteReader(first))).toEqual(before);
    expect(customerPacking.summarize(new ByteReader(first))).toEqual(customerPacking.summarize(new ByteReader(bytes)));
  });

  test('does not keep the bytes it was read from', () => {
    const writer = new ByteWriter();
    customerPacking.pack({ ...initialState('acme|u:1'), body: Buffer.from([1, 2, 3]) }, writer);
    const bytes = writer.copy();
    const state = customerPacking.unpack(new ByteReader(bytes));
    bytes.fill(0);
    expect([...state.body]).toEqual([1, 2, 3]);
  });

  test('splits its key at the first bar', () => {
    expect(initialState('acme|u:a|b')).toMatchObject({ brandId: 'acme', subject: 'u:a|b' });
  });
});

test('the largest body is bounded: every tile of every measure', () => {
  const open = new OpenState();
  const state = initialState('acme|u:1');
  let steps = 0;
  // A year of every measure in every hour of the last week and every day before, amounts of nine digits.
  for (let hour = 366 * 24; hour >= 0; hour -= hour > 200 ? 24 : 1) {
    open.open(state);
    const now = T + 400 * DAY - hour * 3_600_000;
    steps += 1;
    for (let measure = 0; measure < MEASURES.length; measure++) {
      open.postings.add(measure, now, 123_456_789);
    }
    open.post(now);
    open.keepIn(state);
  }
  const tiles = MEASURES.length * (366 + 169 + 13);
  expect(state.body.length).toBeLessThan(tiles * 6);
  open.open(state);
  expect(open.tally(0).lifetime).toBe(123_456_789 * steps);
});

describe('fingerprints', () => {
  test('take 7 bytes and survive packing', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const value = fingerprint(text);
        const writer = new ByteWriter();
        writeFingerprint(value, writer);
        expect(writer.length).toBe(7);
        expect(readFingerprint(new ByteReader(writer.copy()))).toBe(value);
        expect(value).toBeLessThan(2 ** 52);
      }),
    );
  });

  test('of neighbouring ids differ, also in either half', () => {
    const values = Array.from({ length: 200_000 }, (_, index) => fingerprint(`event-${index}`));
    expect(new Set(values).size).toBe(values.length);
    // 200,000 draws out of 2^32 collide about 4.7 times; 20 would be no chance.
    const halves = new Set(values.map((value) => value % 2 ** 32));
    expect(values.length - halves.size).toBeLessThan(20);
  });
});

test('a list of segments is shared by all who are in the same', () => {
  const { packed } = segmentList(['a', 'b']);
  const bytes = Buffer.concat([Buffer.from([packed.length]), packed]);
  expect(readSegmentList(new ByteReader(bytes))).toMatchObject({ ids: ['a', 'b'], packed });
  expect(readSegmentList(new ByteReader(bytes))).toBe(readSegmentList(new ByteReader(Buffer.from(bytes))));
});

test('totals add up by brand, segment, band and trigger, and survive packing', () => {
  const totals = customerTotals.initial();
  for (const flips of [[leaving('vip')], [{ ...leaving('vip'), change: 'ENTERED' as const }]])
    customerTotals.contribute(totals, { brandId: 'acme', of: 'segments', flips });
  customerTotals.contribute(totals, { brandId: 'acme', of: 'band', label: 'HIGH', by: 1 });
  for (const change of ['FIRED', 'CANCELLED', 'FIRED'] as const)
    customerTotals.contribute(totals, { brandId: 'acme', of: 'trigger', trigger: 'win_back', change });
  const writer = new ByteWriter();
  customerTotals.pack(totals, writer);
  const samples = [...customerTotals.gauges(customerTotals.unpack(new ByteReader(writer.copy())))];
  expect(samples).toEqual([
    { name: 'segment_members', labels: { brand: 'acme', segment: 'vip' }, value: 0 },
    { name: 'customers', labels: { brand: 'acme', churn_band: 'HIGH' }, value: 1 },
    { name: 'triggers', labels: { brand: 'acme', trigger: 'win_back', trigger_change: 'FIRED' }, value: 2 },
    { name: 'triggers', labels: { brand: 'acme', trigger: 'win_back', trigger_change: 'CANCELLED' }, value: 1 },
  ]);
});

test('totals of before sessions became a measure of the brand are read', () => {
  const writer = new ByteWriter();
  writer.byte(4);
  writer.uint(1);
  writer.string('acme');
  for (const [label, count] of [
    ['vip', 2],
    ['HIGH', 3],
    ['closed_sessions', 9],
    ['purchase', 4],
    ['new', 5],
  ] as const) {
    writer.uint(1);
    writer.string(label);
    writer.int(count);
  }
  packOutcomes(newOutcomes(), writer);
  const totals = customerTotals.unpack(new ByteReader(writer.copy()));
  expect([...customerTotals.gauges(totals)].map(({ name, value }) => [name, value])).toEqual([
    ['segment_members', 2],
    ['customers', 3],
    ['stage_customers', 4],
    ['lifecycle_customers', 5],
  ]);
});
