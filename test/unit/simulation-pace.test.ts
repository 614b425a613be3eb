import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextInstant, paceFor, paceYear } from '../../processors/simulation/pace.ts';
import type { PacedShop } from '../../processors/simulation/pace.ts';
import { DAY_MS, MINUTE_MS } from '../../processors/simulation/rhythm.ts';
import type { ShopRecord } from '../../processors/simulation/shop.ts';

const PRESENT = Date.UTC(2026, 0, 1);
const FROM = PRESENT - 364 * DAY_MS;
const PACE = paceFor(364 * DAY_MS, 10);

const record = (timestamp: number): ShopRecord => ({ kind: 'raw', timestamp, key: 'k', bytes: null });

describe('simulated time', () => {
  test('reaches the present after about the time planned, and slows down before it', () => {
    let simulated = FROM;
    let wall = PRESENT;
    const steps: number[] = [];
    while (simulated < wall) {
      wall += 40;
      const next = nextInstant(simulated, wall, 40, PACE);
      steps.push(next - simulated);
      simulated = next;
    }
    expect(simulated).toBe(wall);
    expect((wall - PRESENT) / 1000).toBeGreaterThan(12);
    expect((wall - PRESENT) / 1000).toBeLessThan(16);
    expect(steps[0]).toBe(PACE.fastest * 40);
    expect(Math.max(...steps.slice(-20))).toBeLessThan(DAY_MS / 12);
  });

  test('never runs backwards nor ahead of the wall clock', () => {
    const instant = fc.integer({ min: FROM, max: PRESENT });
    fc.assert(
      fc.property(instant, instant, fc.integer({ min: 0, max: 100 }), (one, other, elapsedMs) => {
        const [simulated, wall] = [Math.min(one, other), Math.max(one, other)];
        const next = nextInstant(simulated, wall, elapsedMs, PACE);
        expect(next).toBeGreaterThanOrEqual(simulated);
        expect(next).toBeLessThanOrEqual(wall);
        expect(nextInstant(wall, simulated, elapsedMs, PACE)).toBe(wall);
      }),
      { seed: 1 },
    );
  });
});

interface Run {
  readonly shop: PacedShop;
  readonly sent: ShopRecord[];
  readonly waits: () => number;
  readonly stop: () => void;
}

/** A shop on a wall clock that moves by what is waited; `onWait` sees every wait and may stop it. */
function run(records: Iterable<ShopRecord>, lagRecords: () => number, onWait: (run: Run) => void): Run {
  let wall = PRESENT;
  let waits = 0;
  const stop = new AbortController();
  const sent: ShopRecord[] = [];
  const started: Run = {
    sent,
    waits: () => waits,
    stop: () => {
      stop.abort();
    },
    shop: paceYear({
      records: records[Symbol.iterator](),
      from: FROM,
      wall: { now: () => wall },
      pace: PACE,
      send: async (slice) => {
        sent.push(...slice);
      },
      lagRecords,
      mostLagRecords: 100,
      wait: async (ms) => {
        wall += ms;
        waits++;
        onWait(started);
      },
      stop: stop.signal,
    }),
  };
  return started;
}

describe('the feed', () => {
  const hourly = Array.from({ length: 364 * 24 }, (_, hour) => record(FROM + hour * 60 * MINUTE_MS));

  test('sends every record once, in order, never before its time, and arrives at the present', async () => {
    const aheadOfClock: boolean[] = [];
    const clockTimes: number[] = [];
    const feed = run(
      hourly,
      () => 0,
      ({ shop, sent, stop }) => {
        const now = shop.clock.now();
        clockTimes.push(now);
        const next = hourly[sent.length]?.timestamp ?? Number.POSITIVE_INFINITY;
        // All that is due by the clock is in the log, and nothing that is not.
        aheadOfClock.push(next <= now || (sent.at(-1)?.timestamp ?? 0) > now);
        if (shop.arrived()) stop();
      },
    );
    await feed.shop.feed();
    expect(feed.sent).toEqual(hourly);
    expect(aheadOfClock).not.toContain(true);
    expect(clockTimes).toEqual(clockTimes.toSorted((one, other) => one - other));
    expect(feed.shop.arrived()).toBe(true);
    expect(feed.waits()).toBeGreaterThan(250);
  });

  test('stands still while the pipeline is behind, and makes up for nothing afterwards', async () => {
    let lag = 0;
    let stoodAt = 0;
    const feed = run(
      hourly,
      () => lag,
      ({ shop, sent, waits, stop }) => {
        if (waits() === 10) {
          lag = 101;
          stoodAt = shop.clock.now();
          sent.length = 0;
        }
        if (waits() === 60) {
          expect(shop.clock.now()).toBe(stoodAt);
          expect(sent).toEqual([]);
          lag = 100;
        }
        if (waits() === 61) {
          expect(shop.clock.now()).toBeGreaterThan(stoodAt);
          expect(shop.clock.now() - stoodAt).toBeLessThanOrEqual(PACE.fastest * 200);
          stop();
        }
      },
    );
    await feed.shop.feed();
    expect(feed.waits()).toBe(61);
  });

  test('asks for the lag before every slice, and counts an instant as past only with its last record', async () => {
    const herd = Array.from({ length: 5000 }, () => record(FROM + 1000));
    const asked: [sent: number, now: number][] = [];
    const feed = run(
      herd,
      () => {
        asked.push([feed.sent.length, feed.shop.clock.now() - FROM]);
        return 0;
      },
      // The first step has no length, the second one passes over the herd.
      ({ waits, stop }) => {
        if (waits() === 2) stop();
      },
    );
    await feed.shop.feed();
    expect(asked).toEqual([
      [0, 0],
      [0, 0],
      [1000, 999],
      [2000, 999],
      [3000, 999],
      [4000, 999],
    ]);
    expect(feed.shop.clock.now()).toBeGreaterThan(FROM + 1000);
  });

  test('goes on live when the records end, and stops when told', async () => {
    const feed = run(
      [record(FROM)],
      () => 0,
      ({ shop, waits, stop }) => {
        if (shop.arrived() && waits() > 600) stop();
      },
    );
    await feed.shop.feed();
    expect(feed.sent).toHaveLength(1);
    expect(feed.shop.clock.now()).toBeGreaterThan(PRESENT);
  });

  test('ends with the failure of what it feeds', async () => {
    const feed = run(
      hourly,
      () => {
        throw new Error('the log is gone');
      },
      () => undefined,
    );
    await expect(feed.shop.feed()).rejects.toThrow('the log is gone');
  });
});
