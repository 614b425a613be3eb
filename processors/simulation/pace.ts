import type { Instant } from '../core/processor.ts';
import { MINUTE_MS } from './rhythm.ts';
import type { ShopRecord } from './shop.ts';

/** How fast simulated time runs after the wall clock. */
export interface Pace {
  /** Simulated milliseconds for each real one, at most. */
  readonly fastest: number;
  /** The rest of the way shrinks to 37 % in each such time, so that the year slows down softly at its end. */
  readonly glideMs: number;
}

export interface PaceOptions {
  /** In the order of their timestamps, the first of them at or after `from`. */
  readonly records: Iterator<ShopRecord>;
  readonly from: Instant;
  readonly wall: { now(): Instant };
  readonly pace: Pace;
  /** Resolves once the log has all of them. */
  send(records: readonly ShopRecord[]): Promise<void>;
  /** How many records sent are not yet processed. */
  lagRecords(): number | Promise<number>;
  /** While more are waiting, simulated time stands still. */
  readonly mostLagRecords: number;
  wait(ms: number): Promise<void>;
  readonly stop: AbortSignal;
}

export interface PacedShop {
  /** Simulated time: every record up to this instant is in the log. Never runs backwards or ahead of the wall clock. */
  readonly clock: { now(): Instant };
  /** True once simulated time is the present. */
  arrived(): boolean;
  /** Sends the records as their time comes, until told to stop. Rejects when `send` or `lagRecords` does. */
  feed(): Promise<void>;
}

/** Closer to the present than this, the rest is one step. */
const NEARLY_NOW_MS = 5 * MINUTE_MS;
/** However long a wait was, time moves on by no more than this: what was missed while standing still is not made up for. */
const LONGEST_STEP_MS = 100;
const TICK_MS = 40;
const LIVE_TICK_MS = 200;
const SEND_RECORDS = 1000;

/**
 * A pace at which `spanMs` of simulated time passes at full speed in about `seconds`, then glides into the present in some
 * five seconds more.
 */
export function paceFor(spanMs: number, seconds: number): Pace {
  return { fastest: spanMs / (seconds * 1000), glideMs: 600 };
}

/** Where simulated time stands `elapsedMs` of real time after it stood at `simulated`: pure, and never beyond `wall`. */
export function nextInstant(simulated: Instant, wall: Instant, elapsedMs: number, pace: Pace): Instant {
  const gapMs = wall - simulated;
  if (gapMs <= NEARLY_NOW_MS) return Math.max(simulated, wall);
  const glided = gapMs * (1 - Math.exp(-elapsedMs / pace.glideMs));
  return simulated + Math.floor(Math.min(pace.fastest * elapsedMs, glided));
}

/**
 * Lets a simulated year pass and go on as the present. A broker refuses timestamps an hour ahead of its clock, so simulated
 * time comes from behind and ends at the wall clock. A pipeline that cannot keep up holds simulated time back: it stands
 * while more than `mostLagRecords` wait, and it moves only over records that have been sent.
 */
export function paceYear(options: PaceOptions): PacedShop {
  const { records, wall, pace, stop } = options;
  let simulated = options.from;
  let pending = records.next();

  async function holdBack(): Promise<void> {
    while (!stop.aborted && (await options.lagRecords()) > options.mostLagRecords) await options.wait(TICK_MS);
  }

  function takeUntil(until: Instant): ShopRecord[] {
    const taken: ShopRecord[] = [];
    while (pending.done !== true && pending.value.timestamp <= until && taken.length < SEND_RECORDS) {
      taken.push(pending.value);
      pending = records.next();
    }
    return taken;
  }

  async function sendUntil(until: Instant): Promise<void> {
    for (;;) {
      await holdBack();
      if (stop.aborted) return;
      const slice = takeUntil(until);
      if (slice.length > 0) await options.send(slice);
      const next = pending.done === true ? Number.POSITIVE_INFINITY : pending.value.timestamp;
      // Up to the next record, which may be of the same instant as the last one sent, everything is in the log.
      simulated = Math.max(simulated, Math.min(until, next - 1));
      if (next > until) return;
    }
  }

  const arrived = () => wall.now() - simulated <= NEARLY_NOW_MS;
  return {
    clock: { now: () => simulated },
    arrived,
    async feed() {
      let steppedAt = wall.now();
      while (!stop.aborted) {
        const now = wall.now();
        const elapsedMs = Math.max(0, Math.min(LONGEST_STEP_MS, now - steppedAt));
        steppedAt = now;
        await sendUntil(nextInstant(simulated, now, elapsedMs, pace));
        await options.wait(arrived() ? LIVE_TICK_MS : TICK_MS);
      }
    },
  };
}
