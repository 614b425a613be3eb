import type { RatioTraits } from '../../schemas/types.ts';
import { ByteWriter } from '../core/packing.ts';
import { PackedValue, type Instant } from '../core/processor.ts';
import { affinityTraits } from './affinity-view.ts';
import { attributeTexts } from './attributes.ts';
import type { BrandRules } from './brand-rules.ts';
import { churnBand } from './churn-risk.ts';
import { churnAt, isIdentified } from './feature-values.ts';
import { CHURN_BANDS, MEASURES, WINDOWS } from './features.ts';
import { journeyOf } from './journey.ts';
import { membershipOf } from './loyalty.ts';
import type { OpenState } from './open-state.ts';
import { FIELD_OF_WINDOW, isNumber, measuredTraits, ownMeasures } from './measured-traits.ts';
import { ownRatioTraits } from './ratio-traits.ts';
import { scoreTraits } from './scores.ts';
import { packedIds } from './segment-list.ts';
import type { CustomerState } from './state.ts';
import { RATIO_PLACES, TraitSums } from './trait-sums.ts';
import { VISITS } from './visits.ts';
import type { UserMeasure } from './user-measures.ts';
import { ageDays } from './watching.ts';

/**
 * The traits record as its Avro, written straight from the sums: most of what is published are traits, and most of their
 * cost was making two dozen objects to be read once. test/processors/customer-traits.test.ts holds the bytes against
 * `traitsOf` and the schema; a change of CustomerTraits.avsc is a change here.
 */

const writer = new ByteWriter(2048);
const sums = new TraitSums();

// Avro: the index of a union's branch, and the end of an array or map.
const NULL_BRANCH = 0;
const OTHER_BRANCH = 2;
const TEXT_BRANCH = 4;
const END = 0;
/** Places of the bands in the schema, where UNKNOWN stands before them. */
const BAND_INDEX = new Map(CHURN_BANDS.map((band, place) => [band, place + 1]));

export function packTraits(state: CustomerState, open: OpenState, rules: BrandRules, now: Instant): PackedValue {
  sums.fill(open, now);
  const own = ownMeasures(open, rules);
  writer.reset();
  writer.avroString(state.brandId);
  writer.avroString(state.subject);
  writer.int(now);
  writer.byte(isIdentified(state.subject) ? 1 : 0);
  packMeasures(open, own, now);
  packRatios(ownRatioTraits(open, rules, now));
  packChurn(churnAt(open, rules.churn, now));
  packAttributes(open);
  const { bytes: segments } = packedIds(state.segments);
  writer.raw(segments, 0, segments.length);
  writer.avroString(rules.hash);
  packVisits(open);
  packJourney(open);
  packValues(open, own, now);
  packLoyalty(open);
  packAffinities(open);
  packScores(open);
  return new PackedValue(writer.copy());
}

function packMeasures(open: OpenState, own: readonly UserMeasure[], now: Instant): void {
  let count = sums.count;
  for (const measure of own) if (isNumber(measure)) count += 1;
  if (count > 0) writer.int(count);
  for (let index = 0; index < sums.count; index++) {
    const place = sums.place(index);
    writer.avroString(MEASURES[place] ?? '');
    for (let window = 0; window < WINDOWS.length; window++) writer.int(sums.of(place, window));
    const age = ageDays(open.lastAt(place), now);
    writer.byte(age === undefined ? NULL_BRANCH : OTHER_BRANCH);
    if (age !== undefined) writer.int(age);
  }
  for (const measure of own) {
    if (!isNumber(measure)) continue;
    const traits = measuredTraits(measure, open, now);
    writer.avroString(measure.definition.id);
    for (const value of traits.values) writer.int(Number(value));
    packAge(traits.ageDays);
  }
  writer.byte(END);
}

function packAge(age: number | null): void {
  writer.byte(age === null ? NULL_BRANCH : OTHER_BRANCH);
  if (age !== null) writer.int(age);
}

function packValues(open: OpenState, own: readonly UserMeasure[], now: Instant): void {
  let count = 0;
  for (const measure of own) if (!isNumber(measure)) count += 1;
  if (count > 0) writer.int(count);
  for (const measure of own) {
    if (isNumber(measure)) continue;
    const traits = measuredTraits(measure, open, now);
    writer.avroString(measure.definition.id);
    for (const value of traits.values) packValue(value);
    packAge(traits.ageDays);
  }
  writer.byte(END);
}

function packValue(value: number | string | null): void {
  writer.byte(value === null ? NULL_BRANCH : typeof value === 'number' ? OTHER_BRANCH : TEXT_BRANCH);
  if (typeof value === 'number') writer.int(value);
  else if (value !== null) writer.avroString(value);
}

function packRatios(own: readonly RatioTraits[]): void {
  let known = own.length;
  for (const ratio of RATIO_PLACES) if (sums.isKnown(ratio)) known += 1;
  if (known > 0) writer.int(known);
  for (const ratio of RATIO_PLACES) {
    if (!sums.isKnown(ratio)) continue;
    writer.avroString(ratio.name);
    for (let window = 0; window < WINDOWS.length; window++) {
      const quotient = sums.quotient(ratio, window);
      writer.byte(quotient === null ? NULL_BRANCH : OTHER_BRANCH);
      if (quotient !== null) writer.double(quotient);
    }
  }
  for (const ratio of own) {
    writer.avroString(ratio.ratio);
    for (const window of WINDOWS) {
      const quotient = ratio[FIELD_OF_WINDOW[window]];
      writer.byte(quotient === null ? NULL_BRANCH : OTHER_BRANCH);
      if (quotient !== null) writer.double(quotient);
    }
  }
  writer.byte(END);
}

function packChurn(probability: number | undefined): void {
  writer.byte(probability === undefined ? NULL_BRANCH : OTHER_BRANCH);
  if (probability === undefined) return;
  writer.double(probability);
  writer.int(BAND_INDEX.get(churnBand(probability)) ?? 0);
}

function packAttributes(open: OpenState): void {
  if (open.hasAttributes) {
    // In the order of an object's names, which is not the map's when a name is a number.
    const texts = attributeTexts(open.attributes);
    const names = Object.keys(texts);
    writer.int(names.length);
    for (const name of names) {
      writer.avroString(name);
      writer.avroString(texts[name] ?? '');
    }
  }
  writer.byte(END);
}

function packVisits({ parts }: OpenState): void {
  if (!parts.has(VISITS)) {
    writer.byte(NULL_BRANCH);
    return;
  }
  const visits = parts.get(VISITS);
  writer.byte(OTHER_BRANCH);
  writer.int(visits.engagedSessions);
  writer.int(visits.measuredViews);
  writer.int(visits.visibleMs);
  writer.int(visits.longViews);
  writer.int(visits.unmeasuredViews);
}

function packJourney(open: OpenState): void {
  const journey = journeyOf(open.parts);
  writer.byte(journey === null ? NULL_BRANCH : OTHER_BRANCH);
  if (journey === null) return;
  packStanding(journey.stage, journey.stageSince);
  packStanding(journey.lifecycle, journey.lifecycleSince);
}

/** A name and since when, both null or none. */
function packStanding(name: string | null, since: Instant): void {
  writer.byte(name === null ? NULL_BRANCH : OTHER_BRANCH);
  if (name !== null) writer.avroString(name);
  writer.byte(name === null ? NULL_BRANCH : OTHER_BRANCH);
  if (name !== null) writer.int(since);
}

function packLoyalty(open: OpenState): void {
  const membership = membershipOf(open);
  writer.byte(membership === null ? NULL_BRANCH : OTHER_BRANCH);
  if (membership === null) return;
  writer.int(membership.enrolledAt);
  packStanding(membership.tier, membership.tierSince);
  writer.int(membership.points);
}

function packAffinities(open: OpenState): void {
  const affinities = affinityTraits(open);
  if (affinities.length > 0) writer.int(affinities.length);
  for (const { dimension, lastAt, keys } of affinities) {
    writer.avroString(dimension);
    writer.int(lastAt);
    // One that is told has a key.
    writer.int(keys.length);
    for (const { key, weight } of keys) {
      writer.avroString(key);
      writer.double(weight);
    }
    writer.byte(END);
  }
  writer.byte(END);
}

function packScores(open: OpenState): void {
  const scores = scoreTraits(open);
  if (scores.length > 0) writer.int(scores.length);
  for (const { score, value, answeredAt } of scores) {
    writer.avroString(score);
    writer.double(value);
    writer.int(answeredAt);
  }
  writer.byte(END);
}
