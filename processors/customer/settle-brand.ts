import { utcDay } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import { BRAND_STANDINGS, placeOfSum, WHOLE, type BrandSum, type Dimension } from '../core/brand-amounts.ts';
import type { Tiles } from '../core/tiles.ts';
import { unroll, Unrolled } from '../core/unroll.ts';
import { oldestSlot, RINGS } from '../core/window.ts';
import type { BrandChanges } from './brand-changes.ts';
import { BRAND_PART, daysOf, postToDays, type BrandPart } from './brand-part.ts';
import { countAt, standingOf, withRest } from './brand-standing.ts';
import { MEASURES, type Measure } from './features.ts';
import { stageOf } from './journey.ts';
import { placeOf } from './measures.ts';
import type { OpenState } from './open-state.ts';
import type { SegmentList } from './segment-list.ts';
import type { CustomerState } from './state.ts';
import { addOfStages } from './stage-sums.ts';
import { settleSubscriptions, SUBSCRIPTIONS_PART } from './subscriptions.ts';
import type { Turn } from './turn.ts';

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
const NOTHING = -1;
const SUM_OF_MEASURE = MEASURES.map((measure) => {
  const sum = OF_MEASURES[measure];
  return sum === undefined ? NOTHING : placeOfSum(sum);
});
const ORDERS = placeOf('orders');
const DAYS = RINGS[2];
const ACTIVE = 1 << BRAND_STANDINGS.indexOf('active');
const REFERRER = 1 << BRAND_STANDINGS.indexOf('referrers');

const days = new Unrolled();

/**
 * Brings the brand's documents to what the customer is now: the sums of the event in hand, for the brand and for every
 * segment the customer was in; the standing; and, for a segment entered or left since `before`, everything of the customer.
 * So what a document holds of a customer is always a function of the customer, and can be taken back.
 */
export function settleBrand(turn: Turn, before: SegmentList): void {
  const { state, open, plan, now, contributions } = turn;
  const part = open.parts.get(BRAND_PART);
  const changes = open.brandChanges.begin(state.brandId, now, before);
  const { bits: bitsBefore, due: dueBefore, isCounted } = part;
  const hasSubscriptions = open.parts.has(SUBSCRIPTIONS_PART);
  const subscriptions = hasSubscriptions ? settleSubscriptions(open, now) : 0;
  const hasExtras = open.extras.count > 0;
  if (hasExtras) postToDays(part, open.extras, now);
  if (turn.everything || !isCounted || dueBefore <= now || hasSubscriptions || mayStandOtherwise(open, bitsBefore)) {
    const standing = standingOf(open, plan.rules.lostAfterDays, now);
    part.bits = standing.bits;
    part.due = standing.due;
  }
  part.bits = withRest(part.bits, stageOf(open.parts), subscriptions);
  if (isCounted) {
    addSums(changes, open);
    if (part.bits !== bitsBefore) addBits(changes, 'brand', WHOLE, bitsBefore, part.bits);
    settleSegments(turn, part, bitsBefore, before, changes);
  } else {
    part.isCounted = true;
    addEverything(changes, open, part, 'brand', WHOLE, 1, now);
    for (const id of state.segments.ids) addEverything(changes, open, part, 'segment', id, 1, now);
  }
  addOfBrand(changes, open);
  if (!changes.isEmpty) contributions.push(changes);
  if (hasExtras || !isCounted || part.bits !== bitsBefore || part.due !== dueBefore) open.parts.put(BRAND_PART, part);
}

/**
 * What an event adds that is too late for anything to follow from it at once: it may still take out an order of the window.
 * Null when it changes nothing.
 */
export function settleLate(state: CustomerState, open: OpenState, now: Instant): BrandChanges | null {
  const part = open.parts.get(BRAND_PART);
  if (open.extras.count > 0) {
    postToDays(part, open.extras, now);
    open.parts.put(BRAND_PART, part);
  }
  const changes = open.brandChanges.begin(state.brandId, now, state.segments);
  if (part.isCounted) addSums(changes, open);
  addOfBrand(changes, open);
  return changes.isEmpty ? null : changes;
}

/**
 * Takes everything of a customer out of the brand's documents, before it is merged into another one or erased. Whoever is
 * settled next without having been counted is counted whole.
 */
export function takeFromBrand({
  state,
  open,
  now,
  contributions,
}: Pick<Turn, 'state' | 'open' | 'now' | 'contributions'>): void {
  const part = open.parts.get(BRAND_PART);
  if (!part.isCounted) return;
  const changes = open.brandChanges.begin(state.brandId, now);
  addEverything(changes, open, part, 'brand', WHOLE, -1, now);
  for (const id of state.segments.ids) addEverything(changes, open, part, 'segment', id, -1, now);
  addOfBrand(changes, open);
  part.isCounted = false;
  part.bits = 0;
  open.parts.put(BRAND_PART, part);
  if (!changes.isEmpty) contributions.push(changes);
}

/** Lets the next evaluation count the whole customer, who is taken out already or was never counted as it is now. */
export function countAnew({ parts }: OpenState): void {
  if (!parts.has(BRAND_PART)) return;
  const part = parts.get(BRAND_PART);
  part.isCounted = false;
  part.bits = 0;
  parts.put(BRAND_PART, part);
}

/** Whether the event in hand may change the standing: orders always; the first interaction or referral after a silence. */
function mayStandOtherwise({ postings }: OpenState, bits: number): boolean {
  if (postings.includes(ORDERS)) return true;
  return (
    ((bits & ACTIVE) === 0 && postings.includes(placeOf('interactions'))) ||
    ((bits & REFERRER) === 0 && postings.includes(placeOf('referrals')))
  );
}

function settleSegments(
  { state, open, now }: Turn,
  part: BrandPart,
  bitsBefore: number,
  before: SegmentList,
  changes: BrandChanges,
): void {
  const after = state.segments;
  if (after === before && part.bits === bitsBefore) return;
  const stays = (id: string): void => {
    addBits(changes, 'segment', id, bitsBefore, part.bits);
  };
  if (after === before) {
    before.ids.forEach(stays);
    return;
  }
  // Both lists are by id.
  let next = 0;
  for (const id of before.ids) {
    for (; next < after.ids.length && (after.ids[next] ?? '') < id; next++) {
      addEverything(changes, open, part, 'segment', after.ids[next] ?? '', 1, now);
    }
    if (after.ids[next] === id) {
      next += 1;
      stays(id);
    } else {
      // The sums of the event are in it already; the bits are not.
      addEverything(changes, open, { ...part, bits: bitsBefore }, 'segment', id, -1, now);
    }
  }
  for (; next < after.ids.length; next++) {
    addEverything(changes, open, part, 'segment', after.ids[next] ?? '', 1, now);
  }
}

function addSums(changes: BrandChanges, { postings, extras }: OpenState): void {
  for (let index = 0; index < postings.count; index++) {
    const place = SUM_OF_MEASURE[postings.measure(index)] ?? NOTHING;
    if (place !== NOTHING) changes.addSum(place, postings.at(index), postings.amount(index));
  }
  for (let index = 0; index < extras.count; index++) {
    changes.addSum(extras.measure(index), extras.at(index), extras.amount(index));
  }
}

/**
 * Sums of channels and campaigns are of what the brand sent, whoever got it, and times on pages and sessions are kept for the
 * brand as a whole: these move with nobody.
 */
function addOfBrand(changes: BrandChanges, { ofBrand, ofStages, ofMessage }: OpenState): void {
  const { postings, channel, campaignId } = ofMessage;
  for (let index = 0; index < postings.count; index++) {
    const day = utcDay(postings.at(index));
    const [place, by] = [postings.measure(index), postings.amount(index)];
    changes.add('channel', channel, day, place, by);
    if (campaignId !== null) changes.add('campaign', campaignId, day, place, by);
  }
  for (let index = 0; index < ofBrand.count; index++) {
    changes.add('brand', WHOLE, utcDay(ofBrand.at(index)), ofBrand.measure(index), ofBrand.amount(index));
  }
  if (ofStages.count > 0) addOfStages(changes, ofStages);
}

function addBits(changes: BrandChanges, dimension: Dimension, value: string, before: number, after: number): void {
  if (before === after) return;
  for (let place = 0; place < BRAND_STANDINGS.length; place++) {
    changes.addStanding(dimension, value, place, countAt(after, place) - countAt(before, place));
  }
}

function addEverything(
  changes: BrandChanges,
  open: OpenState,
  part: BrandPart,
  dimension: Dimension,
  value: string,
  sign: 1 | -1,
  now: Instant,
): void {
  addBits(changes, dimension, value, sign === 1 ? 0 : part.bits, sign === 1 ? part.bits : 0);
  const addDays = (place: number, tiles: Tiles): void => {
    unroll(tiles, oldestSlot(DAYS, now), days);
    for (let index = 0; index < days.length; index++) {
      changes.add(dimension, value, days.slot(index), place, sign * days.value(index));
    }
  };
  for (let measure = 0; measure < SUM_OF_MEASURE.length; measure++) {
    const place = SUM_OF_MEASURE[measure] ?? NOTHING;
    if (place === NOTHING || open.tallies[measure]?.present !== true) continue;
    addDays(place, open.tally(measure).rings[2]);
  }
  for (const [place, tiles] of daysOf(part)) addDays(place, tiles);
}
