import { utcDay } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import { BRAND_STANDINGS, placeOfSum, WHOLE, type BrandSum } from '../core/brand-amounts.ts';
import type { Tiles } from '../core/tiles.ts';
import { unroll, Unrolled } from '../core/unroll.ts';
import { oldestSlot, RINGS } from '../core/window.ts';
import { COMES, LEAVES, STAYS, type BrandChanges } from './brand-changes.ts';
import { BRAND_PART, daysOf, hasDays, postToDays, type BrandPart } from './brand-part.ts';
import { standingOf, withRest } from './brand-standing.ts';
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
  changes.bitsBefore = isCounted ? bitsBefore : 0;
  changes.bitsAfter = part.bits;
  if (isCounted) {
    addSums(changes, open);
    if (part.bits !== bitsBefore) changes.move('brand', WHOLE, STAYS);
    settleSegments(turn, part, before, changes);
  } else {
    part.isCounted = true;
    moveEverywhere(turn, part, COMES, changes);
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
  changes.bitsBefore = part.bits;
  changes.bitsAfter = 0;
  moveEverywhere({ state, open, now }, part, LEAVES, changes);
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

/** Comes to the brand and to all its segments, or leaves them. */
function moveEverywhere(
  { state, open, now }: Pick<Turn, 'state' | 'open' | 'now'>,
  part: BrandPart,
  move: typeof COMES | typeof LEAVES,
  changes: BrandChanges,
): void {
  addEverything(changes, open, part, now);
  if (!changes.isMoveFelt(move)) return;
  changes.move('brand', WHOLE, move);
  for (const id of state.segments.ids) changes.move('segment', id, move);
}

function settleSegments({ state, open, now }: Turn, part: BrandPart, before: SegmentList, changes: BrandChanges): void {
  const after = state.segments;
  const areBitsNew = changes.bitsBefore !== changes.bitsAfter;
  if (after === before) {
    if (areBitsNew) for (const id of before.ids) changes.move('segment', id, STAYS);
    return;
  }
  // The sums of the event are in everything already; the bits of whoever leaves are those before.
  addEverything(changes, open, part, now);
  const comes = changes.isMoveFelt(COMES);
  const leaves = changes.isMoveFelt(LEAVES);
  // Both lists are by id.
  const { ids } = after;
  let next = 0;
  for (const id of before.ids) {
    // Texts of the same rules are the same text: letters are compared only where the lists differ.
    while (next < ids.length && ids[next] !== id && (ids[next] ?? '') < id) {
      if (comes) changes.move('segment', ids[next] ?? '', COMES);
      next += 1;
    }
    if (ids[next] === id) {
      next += 1;
      if (areBitsNew) changes.move('segment', id, STAYS);
    } else if (leaves) {
      changes.move('segment', id, LEAVES);
    }
  }
  if (!comes) return;
  for (; next < ids.length; next++) changes.move('segment', ids[next] ?? '', COMES);
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

function addEverything(changes: BrandChanges, open: OpenState, part: BrandPart, now: Instant): void {
  for (let measure = 0; measure < SUM_OF_MEASURE.length; measure++) {
    const place = SUM_OF_MEASURE[measure] ?? NOTHING;
    if (place === NOTHING || open.tallies[measure]?.present !== true) continue;
    addDays(changes, place, open.tally(measure).rings[2], now);
  }
  if (!hasDays(part)) return;
  for (const [place, tiles] of daysOf(part)) addDays(changes, place, tiles, now);
}

function addDays(changes: BrandChanges, place: number, tiles: Tiles, now: Instant): void {
  unroll(tiles, oldestSlot(DAYS, now), days);
  for (let index = 0; index < days.length; index++) changes.addWhole(place, days.slot(index), days.value(index));
}
