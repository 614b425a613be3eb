import { expect, test } from 'vitest';
import { isBeyondHorizon, tileTime, utcDay } from '../../processors/core/event-time.ts';
import { firstSlot, leavesAt, oldestSlot, RINGS, slotAt } from '../../processors/core/window.ts';
import { isWithin, SPANS } from '../../processors/customer/windows.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

// Braze's example: at 01:00 UTC on 17 April "the past 3 days" reach back to 14 April 00:00, which is 73 hours.
test('a window of days counts UTC days, today being day 0', () => {
  const now = Date.UTC(2026, 3, 17, 1);
  const threeDays = { ring: 2, hops: 3 } as const;
  expect(firstSlot(threeDays, now) * DAY).toBe(Date.UTC(2026, 3, 14));
  expect(now - firstSlot(threeDays, now) * DAY).toBe(73 * HOUR);
});

test('a tile leaves at (slot + k + 1) hops, and is in the window until a millisecond before', () => {
  for (const span of Object.values(SPANS)) {
    if (span === null) continue;
    const ring = RINGS[span.ring];
    const at = Date.UTC(2026, 3, 17, 1, 2, 3);
    const leaves = leavesAt(span, slotAt(ring, at));
    expect(isWithin(span, at, leaves - 1)).toBe(true);
    expect(isWithin(span, at, leaves)).toBe(false);
    expect(leaves - at).toBeGreaterThan(span.hops * ring.hopMs);
    expect(leaves - at).toBeLessThanOrEqual((span.hops + 1) * ring.hopMs);
  }
});

test('each ring keeps exactly what its longest window needs', () => {
  const now = Date.UTC(2026, 3, 17, 1, 2, 3);
  for (const [index, ring] of RINGS.entries()) {
    const spans = Object.values(SPANS).filter((span) => span?.ring === index);
    expect(Math.max(...spans.map((span) => (span?.hops ?? 0) + 1))).toBe(ring.tiles);
    expect(oldestSlot(ring, now)).toBe(Math.min(...spans.map((span) => (span === null ? 0 : firstSlot(span, now)))));
  }
});

test('an event is kept under its own time, but never later than its record nor before 1970', () => {
  expect(tileTime(1000, 2000)).toBe(1000);
  expect(tileTime(3000, 2000)).toBe(2000);
  expect(tileTime(-5, 2000)).toBe(0);
});

test('the horizon is 365 UTC days back', () => {
  const now = Date.UTC(2026, 3, 17, 23, 59);
  expect(isBeyondHorizon(Date.UTC(2025, 3, 17), now)).toBe(false);
  expect(isBeyondHorizon(Date.UTC(2025, 3, 17) - 1, now)).toBe(true);
  expect(utcDay(DAY - 1)).toBe(0);
});
