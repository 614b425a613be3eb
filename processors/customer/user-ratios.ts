import type { RatioDefinition } from '../core/definitions.ts';
import type { Fault } from '../core/errors.ts';
import { suggestion } from '../core/nearest-name.ts';
import type { Instant } from '../core/processor.ts';
import type { Span } from '../core/window.ts';
import { MEASURES, RATIOS } from './features.ts';
import { MEASURED, openMeasured } from './measured.ts';
import { placeOf, SIGNED } from './measures.ts';
import type { OpenState } from './open-state.ts';
import type { Domain } from './rule-paths.ts';
import { windowSum, type Tally } from './tally.ts';
import type { UserMeasure } from './user-measures.ts';

/** So many ratios of its own a brand has at most. */
const USER_RATIOS_MAX = 64;

/** What is divided, or divided by: a measure of the product by its place, or else one of the brand's own. */
export interface RatioSide {
  readonly place: number;
  readonly own: UserMeasure | null;
}

/** A ratio that a brand's owner defined. */
export interface UserRatio {
  readonly definition: RatioDefinition;
  readonly numerator: RatioSide;
  readonly denominator: RatioSide;
  readonly domain: Domain;
}

/** Judges the ratios and compiles them; every fault is pushed to `faults`. */
export function compileRatios(
  definitions: readonly RatioDefinition[],
  measures: ReadonlyMap<string, UserMeasure>,
  faults: Fault[],
): UserRatio[] {
  faults.push(...tooMany(definitions));
  return definitions.flatMap((definition): UserRatio[] => {
    const { id, file } = definition;
    if (Object.hasOwn(RATIOS, id)) faults.push({ where: `${file}: id`, message: `"${id}" is a ratio of the product` });
    const numerator = sideOf(definition, 'numerator', measures, faults);
    const denominator = sideOf(definition, 'denominator', measures, faults);
    if (numerator === null || denominator === null) return [];
    const min = canBeNegative(numerator) || canBeNegative(denominator) ? -Infinity : 0;
    const domain: Domain = { type: 'number', min, max: Infinity, texts: null, optional: true };
    return [{ definition, numerator, denominator, domain }];
  });
}

/** A ratio over a window at `now`, or over the whole life; undefined: there is nothing to divide by. */
export function ratioValue(
  open: OpenState,
  { numerator, denominator }: Pick<UserRatio, 'numerator' | 'denominator'>,
  span: Span | null,
  now: Instant,
): number | undefined {
  const below = sumOf(open, denominator, span, now);
  return below === 0 ? undefined : sumOf(open, numerator, span, now) / below;
}

/** The tiles of a side; null: nothing of it was ever counted. */
export function tallyOf(open: OpenState, { place, own }: RatioSide): Tally | null {
  if (own !== null) return measuredTally(open, own);
  const tally = open.tally(place);
  return tally.present ? tally : null;
}

/** The tiles of a count or a sum; null: nothing of it counted. */
function measuredTally({ parts }: OpenState, measure: UserMeasure): Tally | null {
  if (!parts.has(MEASURED)) return null;
  const measured = parts.get(MEASURED);
  // Both are kept as tallies (gather-sum.ts).
  return measured.has(measure.key) ? (openMeasured(measured, measure).summary as Tally) : null;
}

function sumOf(open: OpenState, side: RatioSide, span: Span | null, now: Instant): number {
  const tally = tallyOf(open, side);
  return tally === null ? 0 : windowSum(tally, span, now);
}

function sideOf(
  definition: RatioDefinition,
  field: 'numerator' | 'denominator',
  measures: ReadonlyMap<string, UserMeasure>,
  faults: Fault[],
): RatioSide | null {
  const name = definition[field];
  const where = `${definition.file}: ${field}`;
  const shipped = MEASURES.find((measure) => measure === name);
  if (shipped !== undefined) return { place: placeOf(shipped), own: null };
  const own = measures.get(name);
  if (own === undefined) {
    const known = suggestion(name, [...MEASURES, ...measures.keys()]);
    faults.push({ where, message: `unknown measure "${name}"${known}` });
    return null;
  }
  const { of, brands } = own.definition;
  if (of !== 'count' && of !== 'sum') {
    faults.push({ where, message: `"${name}" is of ${of}: a ratio is made of counts and sums` });
    return null;
  }
  if (!brands.includes('*') && !definition.brands.every((brand) => brands.includes(brand))) {
    faults.push({ where, message: `measure "${name}" is for ${brands.join(', ')} only; give both the same brands` });
    return null;
  }
  return { place: -1, own };
}

function canBeNegative({ place, own }: RatioSide): boolean {
  return own === null ? SIGNED.has(place) : own.domain.min < 0;
}

/** Brands with more ratios than are allowed; ratios of every brand count for each. */
function tooMany(definitions: readonly RatioDefinition[]): Fault[] {
  const brands = new Set(definitions.flatMap((definition) => definition.brands));
  return [...brands].flatMap((brand) => {
    const { length } = definitions.filter((each) => each.brands.includes('*') || each.brands.includes(brand));
    if (length <= USER_RATIOS_MAX) return [];
    const whose = brand === '*' ? 'every brand' : `brand ${brand}`;
    return [{ where: 'ratios/', message: `holds ${length} for ${whose}, and ${USER_RATIOS_MAX} are allowed` }];
  });
}
