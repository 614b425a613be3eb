import { expect, test } from 'vitest';
import { BRAND_PART, postToSums, sumsOf } from '../../processors/customer/brand-part.ts';
import {
  BY_MACHINE,
  BY_PERSON,
  MESSAGES_PART,
  note,
  REMEMBERED_MESSAGES,
} from '../../processors/customer/messages-part.ts';
import { fingerprint, writeFingerprint } from '../../processors/core/fingerprint.ts';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import { NO_PARTS, OpenParts, type MergeablePart } from '../../processors/customer/parts.ts';
import { Postings } from '../../processors/customer/postings.ts';
import { REMEMBERED_SUBSCRIPTIONS, spansOf, SUBSCRIPTIONS_PART } from '../../processors/customer/subscriptions.ts';
import { unroll, Unrolled } from '../../processors/core/unroll.ts';

const DAY = 86_400_000;
const T = Date.UTC(2026, 0, 1);
const PLACE = 2;

/** As it comes out of the store again. */
function stored<Value>(part: MergeablePart<Value>, value: Value): Value {
  const parts = new OpenParts();
  parts.open(NO_PARTS);
  parts.put(part, value);
  const packed = parts.close();
  parts.open(packed);
  return parts.get(part);
}

/** The part of somebody who was taken out, with one for each of these days. */
function partOf(...days: number[]) {
  const part = BRAND_PART.initial();
  for (const day of days) {
    const postings = new Postings();
    postings.add(PLACE, T + day * DAY, 1);
    postToSums(part, postings, T + 400 * DAY);
  }
  return stored(BRAND_PART, part);
}

function daysOf(part: ReturnType<typeof partOf>): [number, number][] {
  const tiles = sumsOf(part).get(PLACE)?.days;
  const unrolled = new Unrolled();
  if (tiles !== undefined) unroll(tiles, 0, unrolled);
  return Array.from({ length: unrolled.length }, (_, at) => [unrolled.slot(at) - T / DAY, unrolled.value(at)]);
}

test('the days of two customers are added up, whichever takes the other in, and they are counted anew', () => {
  const one = partOf(40, 90, 90, 399);
  const other = partOf(90, 200, 400);
  BRAND_PART.merge(one, other, new Postings());
  expect(daysOf(stored(BRAND_PART, one))).toEqual([
    [400, 1],
    [399, 1],
    [200, 1],
    [90, 3],
    [40, 1],
  ]);
  expect(one.isCounted).toBe(false);
  const turned = partOf(90, 200, 400);
  BRAND_PART.merge(turned, partOf(40, 90, 90, 399), new Postings());
  expect(daysOf(turned)).toEqual(daysOf(one));
});

test('messages that two customers opened are remembered once, the newest 64', () => {
  const one = MESSAGES_PART.initial();
  note(one, 1, 'opened', BY_PERSON);
  const other = MESSAGES_PART.initial();
  note(other, 1, 'opened', BY_MACHINE);
  note(other, 2, 'clicked', BY_PERSON);
  MESSAGES_PART.merge(one, other, new Postings());
  expect(stored(MESSAGES_PART, one)).toEqual([
    { id: 1, opened: BY_PERSON | BY_MACHINE, clicked: 0 },
    { id: 2, opened: 0, clicked: BY_PERSON },
  ]);
  for (let id = 10; id < 200; id++) note(one, id, 'opened', BY_PERSON);
  expect(one).toHaveLength(REMEMBERED_MESSAGES);
});

test('a subscription that one customer began and the other renewed has the period that was told when it began', () => {
  const begun = { id: 1, since: T, paidAt: T, periodDays: 7, cancelledAt: -1, isOverdue: true };
  const renewed = { id: 1, since: T + 7 * DAY, paidAt: T + 7 * DAY, periodDays: 0, cancelledAt: -1, isOverdue: false };
  const of = (...all: (typeof begun)[]) => stored(SUBSCRIPTIONS_PART, { all, past: [] });
  const [one, other] = [of(begun), of(renewed)];
  SUBSCRIPTIONS_PART.merge(one, of(renewed), new Postings());
  SUBSCRIPTIONS_PART.merge(other, of(begun), new Postings());
  expect(one.all).toEqual([{ ...renewed, since: T, periodDays: 7 }]);
  expect(other).toEqual(one);
  expect(SUBSCRIPTIONS_PART.nextDue(one)).toBe(T + 14 * DAY);
  // As long as nobody told one, it is a month.
  expect(SUBSCRIPTIONS_PART.nextDue(of(renewed))).toBe(T + 37 * DAY);
});

/** Paid for 30 days each time, from `since` on, last at `paidAt`. */
function subscription(name: string, since: number, paidAt: number, cancelledAt = -1) {
  return { id: fingerprint(name), since, paidAt, cancelledAt, periodDays: 30, isOverdue: false };
}

test('of a subscription that two customers have the newer payment counts, and the time before if it goes on', () => {
  const one = { all: [subscription('tea', T, T + 30 * DAY)], past: [{ from: T - 99 * DAY, to: T - 9 * DAY }] };
  const other = {
    all: [subscription('tea', T + 80 * DAY, T + 80 * DAY), subscription('milk', T, T, T + 7 * DAY)],
    past: [],
  };
  for (const [into, from] of [
    [one, other],
    [other, one],
  ] as const) {
    const merged = stored(SUBSCRIPTIONS_PART, { all: [...into.all], past: [...into.past] });
    SUBSCRIPTIONS_PART.merge(merged, from, new Postings());
    expect(spansOf(stored(SUBSCRIPTIONS_PART, merged)).toSorted((a, b) => a.to - b.to)).toEqual([
      { from: T - 99 * DAY, to: T - 9 * DAY },
      { from: T, to: T + 7 * DAY },
      { from: T, to: T + 140 * DAY },
    ]);
  }
});

test('subscriptions are 8 at most, and the times of those forgotten are 8 again', () => {
  const many = Array.from({ length: 40 }, (_each, at) => subscription(`s-${at}`, T + at * DAY, T + at * DAY));
  const merged = SUBSCRIPTIONS_PART.initial();
  for (const each of many) SUBSCRIPTIONS_PART.merge(merged, { all: [each], past: [] }, new Postings());
  expect(merged.all).toEqual(many.slice(-REMEMBERED_SUBSCRIPTIONS));
  expect(merged.past.map(({ from }) => from)).toEqual(many.slice(24, 32).map(({ since }) => since));
});

test('subscriptions that were packed before their times were are read', () => {
  const writer = new ByteWriter();
  writer.uint(1);
  writeFingerprint(fingerprint('tea'), writer);
  writer.uint(T + 1);
  writer.uint(0);
  writer.uint(30 << 1);
  const read = SUBSCRIPTIONS_PART.read(new ByteReader(writer.copy()), 0);
  expect(read).toEqual({ all: [subscription('tea', T, T)], past: [] });
});
