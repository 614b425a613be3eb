import { utcHour } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import { oldestSlot, RINGS } from '../core/window.ts';
import { unroll, Unrolled } from '../core/unroll.ts';
import type { BrandChanges } from './brand-changes.ts';
import { ACTIVE, PURCHASERS, REFERRERS, REPEAT_PURCHASERS } from './brand-places.ts';
import { placeOf } from './measures.ts';
import type { OpenState } from './open-state.ts';
import type { Tally } from './tally.ts';
import { DAY_HOURS } from './brand-tiles.ts';

const INTERACTIONS = placeOf('interactions');
const REFERRALS = placeOf('referrals');
const ORDERS = placeOf('orders');
/** The customer never did it, or not within the year. */
const NEVER_WAS = -1;

const FIRST_OF_ORDERS = 2;
/** The event moves none of these. */
const UNKNOWN = -2;

const tiles = new Unrolled();

/**
 * The hours of what a customer did last: anything, a referral, an order, and the order before that. A window holds the
 * customer as one who did it as long as it holds that hour. They follow from what is kept of measures, so that before an
 * event is added they are looked up, as far as it may move them, and nothing has to be kept beside.
 */
export class BrandMoments {
  /** Of anything, of a referral, of the last order and of the one before. */
  readonly #before = [UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN];
  readonly #orders = [NEVER_WAS, NEVER_WAS];
  #isNoted = false;

  clear(): void {
    if (!this.#isNoted) return;
    this.#before.fill(UNKNOWN);
    this.#isNoted = false;
  }

  /** Before what is in `postings` is added. */
  note(open: OpenState, now: Instant): void {
    const { postings } = open;
    for (let index = 0; index < postings.count; index++) {
      const measure = postings.measure(index);
      if (measure === INTERACTIONS) this.#before[0] = lastHour(open.tally(INTERACTIONS));
      else if (measure === REFERRALS) this.#before[1] = lastHour(open.tally(REFERRALS));
      else if (measure === ORDERS) this.#noteOrders(open, now, this.#before, FIRST_OF_ORDERS);
      else continue;
      this.#isNoted = true;
    }
  }

  /** After it was: takes the customer from the hours of before to those of now. */
  move(open: OpenState, now: Instant, changes: BrandChanges): void {
    if (!this.#isNoted) return;
    const before = this.#before;
    if (before[0] !== UNKNOWN) moveOne(changes, ACTIVE, before[0] ?? UNKNOWN, lastHour(open.tally(INTERACTIONS)));
    if (before[1] !== UNKNOWN) moveOne(changes, REFERRERS, before[1] ?? UNKNOWN, lastHour(open.tally(REFERRALS)));
    if (before[2] === UNKNOWN) return;
    this.#noteOrders(open, now, this.#orders, 0);
    moveOne(changes, PURCHASERS, before[2] ?? UNKNOWN, this.#orders[0] ?? NEVER_WAS);
    moveOne(changes, REPEAT_PURCHASERS, before[3] ?? UNKNOWN, this.#orders[1] ?? NEVER_WAS);
  }

  /** Each place with the hour that the customer is counted under. */
  each(open: OpenState, now: Instant, take: (place: number, hour: number, by: number) => void): void {
    const [active, referred] = [lastHour(open.tally(INTERACTIONS)), lastHour(open.tally(REFERRALS))];
    if (active !== NEVER_WAS) take(ACTIVE, active, 1);
    if (referred !== NEVER_WAS) take(REFERRERS, referred, 1);
    this.#noteOrders(open, now, this.#orders, 0);
    const [last = NEVER_WAS, beforeLast = NEVER_WAS] = this.#orders;
    if (last !== NEVER_WAS) take(PURCHASERS, last, 1);
    if (beforeLast !== NEVER_WAS) take(REPEAT_PURCHASERS, beforeLast, 1);
  }

  /** The newest two, by hour, or by the first hour of their day where hours are known no more. */
  #noteOrders(open: OpenState, now: Instant, into: number[], at: number): void {
    into[at] = into[at + 1] = NEVER_WAS;
    const tally = open.tally(ORDERS);
    if (!tally.present) return;
    let found = 0;
    let newerOfDay = 0;
    let lastDay = NEVER_WAS;
    unroll(tally.rings[1], oldestSlot(RINGS[1], now), tiles);
    for (let index = 0; index < tiles.length && found < 2; index++) {
      for (let left = tiles.value(index); left > 0 && found < 2; left--) into[at + found++] = tiles.slot(index);
      const day = Math.floor(tiles.slot(index) / DAY_HOURS);
      newerOfDay = day === lastDay ? newerOfDay + tiles.value(index) : tiles.value(index);
      lastDay = day;
    }
    if (found === 2) return;
    unroll(tally.rings[2], oldestSlot(RINGS[2], now), tiles);
    for (let index = 0; index < tiles.length && found < 2; index++) {
      const day = tiles.slot(index);
      if (lastDay !== NEVER_WAS && day > lastDay) continue;
      const older = tiles.value(index) - (day === lastDay ? newerOfDay : 0);
      for (let left = older; left > 0 && found < 2; left--) into[at + found++] = day * DAY_HOURS;
    }
  }
}

function lastHour(tally: Tally): number {
  return tally.present ? utcHour(tally.lastAt) : NEVER_WAS;
}

function moveOne(changes: BrandChanges, place: number, from: number, to: number): void {
  if (from === to) return;
  if (from !== NEVER_WAS) changes.addSum(place, from, -1);
  if (to !== NEVER_WAS) changes.addSum(place, to, 1);
}
