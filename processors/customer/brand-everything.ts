import { BRAND_STANDINGS, placeOfSum, type BrandSum } from '../core/brand-amounts.ts';
import type { Instant } from '../core/processor.ts';
import type { Tiles } from '../core/tiles.ts';
import { unroll, Unrolled } from '../core/unroll.ts';
import { oldestSlot, RINGS } from '../core/window.ts';
import { NOW, type BrandChanges } from './brand-changes.ts';
import { hasSums, sumsOf, type BrandPart } from './brand-part.ts';
import { LOST, WON, WON_OF_LOST } from './brand-places.ts';
import { countAt, isCustomer, type Customership } from './brand-standing.ts';
import { MEASURES, type Measure } from './features.ts';
import type { OpenState } from './open-state.ts';
import { DAY_HOURS } from './brand-tiles.ts';

/** Sums of the brand that a measure of the profile is, of which the customer keeps the days anyway. */
const OF_MEASURES: Partial<Record<Measure, BrandSum>> = {
  interactions: 'interactions',
  orders: 'orders',
  revenue: 'revenueMinor',
  social_actions: 'socialActions',
  messages_delivered: 'messagesDelivered',
  unsubscribes: 'unsubscribes',
  opens: 'opens',
  clicks: 'clicks',
  referrals: 'referralsSent',
};
export const NOTHING = -1;
export const SUM_OF_MEASURE = MEASURES.map((measure) => {
  const sum = OF_MEASURES[measure];
  return sum === undefined ? NOTHING : placeOfSum(sum);
});
const [, HOURS, DAYS] = RINGS;

const hours = new Unrolled();
const days = new Unrolled();

/** Puts into `changes` all that a customer is in the documents with, at an instant: once, for as many documents as there are. */
export function addEverything(changes: BrandChanges, open: OpenState, part: BrandPart, now: Instant): void {
  for (let place = 0; place < BRAND_STANDINGS.length; place++) changes.addWhole(place, NOW, countAt(part.bits, place));
  const add = (place: number, hour: number, by: number): void => {
    changes.addWhole(place, hour, by);
  };
  if (part.hours.length > 0) eachHour(part.hours, add);
  open.brandMoments.each(open, now, add);
  for (let measure = 0; measure < SUM_OF_MEASURE.length; measure++) {
    const place = SUM_OF_MEASURE[measure] ?? NOTHING;
    if (place === NOTHING || open.tallies[measure]?.present !== true) continue;
    const { rings } = open.tally(measure);
    addTiles(changes, place, rings[1], rings[2], now);
  }
  if (!hasSums(part)) return;
  for (const [place, tiles] of sumsOf(part)) addTiles(changes, place, tiles.hours, tiles.days, now);
}

/** Every hour that is known, and what the days hold beside these, under their first hour. */
function addTiles(changes: BrandChanges, place: number, ofHours: Tiles, ofDays: Tiles, now: Instant): void {
  unroll(ofHours, oldestSlot(HOURS, now), hours);
  unroll(ofDays, oldestSlot(DAYS, now), days);
  let [nextHour, nextDay] = [0, 0];
  while (nextHour < hours.length || nextDay < days.length) {
    const dayOfHour = nextHour < hours.length ? Math.floor(hours.slot(nextHour) / DAY_HOURS) : NOTHING;
    const day = Math.max(dayOfHour, nextDay < days.length ? days.slot(nextDay) : NOTHING);
    let rest = nextDay < days.length && days.slot(nextDay) === day ? days.value(nextDay++) : 0;
    for (; nextHour < hours.length && Math.floor(hours.slot(nextHour) / DAY_HOURS) === day; nextHour++) {
      changes.addWhole(place, hours.slot(nextHour), hours.value(nextHour));
      rest -= hours.value(nextHour);
    }
    changes.addWhole(place, day * DAY_HOURS, rest);
  }
}

/** What times as a customer count for: by turns one more and one less; of whoever is lost once more apart. */
export function eachHour(all: Customership, take: (place: number, hour: number, by: number) => void): void {
  const isLost = all.length > 0 && !isCustomer(all);
  for (let index = 0; index < all.length; index++) {
    const [hour, by] = [all[index] ?? 0, index % 2 === 0 ? 1 : -1];
    take(WON, hour, by);
    if (isLost) take(WON_OF_LOST, hour, by);
  }
  if (isLost) take(LOST, all.at(-1) ?? 0, 1);
}
