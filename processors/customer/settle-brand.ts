import { utcHour } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import { BRAND_STANDINGS, WHOLE } from '../core/brand-amounts.ts';
import { COMES, LEAVES, NOW, type BrandChanges } from './brand-changes.ts';
import { BRAND_PART, forgetCounted, postToSums, type BrandPart } from './brand-part.ts';
import { addEverything, eachHour, NOTHING, SUM_OF_MEASURE } from './brand-everything.ts';
import { bitsOf, countAt, standingOf, type Customership } from './brand-standing.ts';
import { stageOf } from './journey.ts';
import { placeOf } from './measures.ts';
import type { OpenState } from './open-state.ts';
import type { SegmentList } from './segment-list.ts';
import type { CustomerState } from './state.ts';
import { addOfStages } from './stage-sums.ts';
import { settleSubscriptions, SUBSCRIPTIONS_PART } from './subscriptions.ts';
import type { Turn } from './turn.ts';

const ORDERS = placeOf('orders');
/**
 * Brings the brand's documents to what the customer is now: the sums of the event in hand and the standing, for the brand and
 * for every segment the customer was in; and, for a segment entered or left since `before`, everything of the customer.
 * So what a document holds of a customer is always a function of the customer, and can be taken back.
 */
export function settleBrand(turn: Turn, before: SegmentList): void {
  const { state, open, plan, now, contributions } = turn;
  const part = open.parts.get(BRAND_PART);
  const changes = open.brandChanges.begin(state.brandId, now, before);
  const { bits: bitsBefore, hours: hoursBefore, due: dueBefore, isCounted } = part;
  const hasSubscriptions = open.parts.has(SUBSCRIPTIONS_PART);
  const subscriptions = hasSubscriptions ? settleSubscriptions(open, now) : 0;
  const hasExtras = open.extras.count > 0;
  if (hasExtras) postToSums(part, open.extras, now);
  if (turn.everything || !isCounted || dueBefore <= now || hasSubscriptions || open.postings.includes(ORDERS)) {
    const standing = standingOf(open, plan.rules.lostAfterDays, now);
    if (!isSame(standing.hours, hoursBefore)) part.hours = standing.hours;
    part.due = standing.due;
  }
  part.bits = bitsOf(part.hours, stageOf(open.parts), subscriptions);
  if (isCounted) {
    addSums(changes, open);
    open.brandMoments.move(open, now, changes);
    if (part.bits !== bitsBefore) addBits(changes, bitsBefore, part.bits);
    if (part.hours !== hoursBefore) addOtherHours(changes, hoursBefore, part.hours);
    if (state.segments !== before) settleSegments(turn, part, before, changes);
  } else {
    part.isCounted = true;
    changes.begin(state.brandId, now, state.segments);
    addEverything(changes, open, part, now);
    changes.moveEverywhere(COMES);
  }
  addOfBrand(changes, open);
  if (!changes.isEmpty) contributions.push(changes);
  const isOther = part.bits !== bitsBefore || part.hours !== hoursBefore || part.due !== dueBefore;
  if (hasExtras || !isCounted || isOther) open.parts.put(BRAND_PART, part);
}

/**
 * What an event adds that is too late for anything to follow from it at once: it may still take out an order of the window.
 * Null when it changes nothing.
 */
export function settleLate(state: CustomerState, open: OpenState, now: Instant): BrandChanges | null {
  const part = open.parts.get(BRAND_PART);
  if (open.extras.count > 0) {
    postToSums(part, open.extras, now);
    open.parts.put(BRAND_PART, part);
  }
  const changes = open.brandChanges.begin(state.brandId, now, state.segments);
  if (part.isCounted) {
    addSums(changes, open);
    open.brandMoments.move(open, now, changes);
  }
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
  const changes = open.brandChanges.begin(state.brandId, now, state.segments);
  addEverything(changes, open, part, now);
  changes.moveEverywhere(LEAVES);
  addOfBrand(changes, open);
  forgetCounted(part);
  open.parts.put(BRAND_PART, part);
  if (!changes.isEmpty) contributions.push(changes);
}

/** Lets the next evaluation count the whole customer, who is taken out already or was never counted as it is now. */
export function countAnew({ parts }: OpenState): void {
  if (!parts.has(BRAND_PART)) return;
  const part = parts.get(BRAND_PART);
  forgetCounted(part);
  parts.put(BRAND_PART, part);
}

/** The list before has what is new of the customer already, so whoever leaves takes along what is there now. */
function settleSegments({ state, open, now }: Turn, part: BrandPart, before: SegmentList, changes: BrandChanges): void {
  addEverything(changes, open, part, now);
  // Both lists are by id.
  const { ids } = state.segments;
  let next = 0;
  for (const id of before.ids) {
    // Texts of the same rules are the same text: letters are compared only where the lists differ.
    while (next < ids.length && ids[next] !== id && (ids[next] ?? '') < id) {
      changes.move(ids[next] ?? '', COMES);
      next += 1;
    }
    if (ids[next] === id) next += 1;
    else changes.move(id, LEAVES);
  }
  for (; next < ids.length; next++) changes.move(ids[next] ?? '', COMES);
}

function addSums(changes: BrandChanges, { postings, extras }: OpenState): void {
  for (let index = 0; index < postings.count; index++) {
    const place = SUM_OF_MEASURE[postings.measure(index)] ?? NOTHING;
    if (place !== NOTHING) changes.addSum(place, utcHour(postings.at(index)), postings.amount(index));
  }
  for (let index = 0; index < extras.count; index++) {
    changes.addSum(extras.measure(index), utcHour(extras.at(index)), extras.amount(index));
  }
}

/**
 * Sums of channels and campaigns are of what the brand sent, whoever got it, and times on pages and sessions are kept for the
 * brand as a whole: these move with nobody.
 */
function addOfBrand(changes: BrandChanges, { ofBrand, ofStages, ofMessage }: OpenState): void {
  const { postings, channel, campaignId } = ofMessage;
  for (let index = 0; index < postings.count; index++) {
    const hour = utcHour(postings.at(index));
    const [place, by] = [postings.measure(index), postings.amount(index)];
    changes.add('channel', channel, hour, place, by);
    if (campaignId !== null) changes.add('campaign', campaignId, hour, place, by);
  }
  for (let index = 0; index < ofBrand.count; index++) {
    changes.add('brand', WHOLE, utcHour(ofBrand.at(index)), ofBrand.measure(index), ofBrand.amount(index));
  }
  if (ofStages.count > 0) addOfStages(changes, ofStages);
}

function addBits(changes: BrandChanges, before: number, after: number): void {
  for (let place = 0; place < BRAND_STANDINGS.length; place++) {
    changes.addSum(place, NOW, countAt(after, place) - countAt(before, place));
  }
}

function addOtherHours(changes: BrandChanges, before: Customership, after: Customership): void {
  eachHour(before, (place, hour, by) => {
    changes.addSum(place, hour, -by);
  });
  eachHour(after, (place, hour, by) => {
    changes.addSum(place, hour, by);
  });
}

function isSame(one: Customership, other: Customership): boolean {
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false;
  return true;
}
