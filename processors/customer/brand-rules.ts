import type { AffinitySettings } from '../core/affinity-settings.ts';
import type {
  BrandDefinition,
  Definitions,
  ExperimentDefinition,
  JourneySettings,
  TriggerSettings,
} from '../core/definitions.ts';
import { ConfigurationError } from '../core/errors.ts';
import type { Fault } from '../core/errors.ts';
import type { ByteWriter } from '../core/packing.ts';
import type { ReadFields } from '../core/processor.ts';
import { fieldsOfAffinity } from './affinity-plan.ts';
import { baselineFault, churnModelOf, type ChurnModel } from './churn-model.ts';
import { readMetricFilters } from './experiment-filters.ts';
import type { Feature, FeatureValue } from './features.ts';
import { contradictionOf } from './rule-contradictions.ts';
import { numbersOf } from './readers.ts';
import type { Comparison } from './rule-comparisons.ts';
import { compileExplanation, packReasons } from './rule-evidence.ts';
import type { Leaf } from './rule-evidence.ts';
import { asksSentiment, brandFaults, pathsOf, sequenceFaults, sequencesOf } from './rule-reads.ts';
import { countedSegments, countsSegmentsAt, namedSegments, orderSegments, referenceFaults } from './rule-order.ts';
import type { ParsedSegment } from './rule-order.ts';
import type { RulePath } from './rule-paths.ts';
import { compileRule } from './rule-program.ts';
import type { Matcher } from './rule-program.ts';
import { parseRule, profileVocabulary } from './rule-syntax.ts';
import { sentimentReader, type SentimentReader } from '../sentiment/sentiment.ts';
import { fieldsOfSequence, parseSequence } from './sequences.ts';
import { compileRatios, type UserRatio } from './user-ratios.ts';
import { compileMeasures, fieldsAsked, type UserMeasure } from './user-measures.ts';

/** Everything a brand's owner defined, compiled: what a customer document of that brand is held against. */
export interface BrandRules {
  readonly brandId: string;
  /** ISO 4217; the only currency that counts as revenue. */
  readonly currency: string;
  /** IANA name. */
  readonly timeZone: string;
  /** A customer without a purchase for so many days counts as lost. */
  readonly lostAfterDays: number;
  /** Of the whole set of definitions: published as `definitionsVersion`. */
  readonly hash: string;
  /** Slot → feature: every path that a segment of the brand reads. */
  readonly features: readonly Feature[];
  /** Slot → sorted numeric constants it is compared with; empty when there are none. */
  readonly thresholds: readonly (readonly number[])[];
  /** In evaluation order: a segment after those that it names. */
  readonly segments: readonly CompiledSegment[];
  readonly churn: ChurnModel | null;
  readonly experiments: readonly ExperimentDefinition[];
  readonly journey: JourneySettings;
  /** Null for a brand without any. */
  readonly triggers: TriggerSettings | null;
  readonly surveys: Definitions['surveys'];
  /** Those that the brand's owner defined. */
  readonly measures: readonly UserMeasure[];
  readonly ratios: readonly UserRatio[];
  /** Null: no segment asks for the sentiment of texts. */
  readonly readSentiment: SentimentReader | null;
  /** Null: nothing that customers turn to is followed. */
  readonly affinity: AffinitySettings | null;
}

export interface CompiledSegment {
  readonly id: string;
  /** Slots it reads; one that names segments has the slot of `segments` too, whose value is never read. */
  readonly slots: readonly number[];
  /** By slot: what it compares the slot's value with. */
  readonly comparisons: ReadonlyMap<number, readonly Comparison[]>;
  /** Places in `segments` of those it names or counts, all of them earlier than its own. */
  readonly names: readonly number[];
  /** `members`: by place in `segments`, 1 for each earlier segment that is in. Allocates nothing. */
  readonly matches: Matcher;
  /** Writes the leaves that decided, as an Avro array: the true ones of a rule that `matches`, else the false ones. */
  packEvidence(values: readonly FeatureValue[], members: Uint8Array, matches: boolean, writer: ByteWriter): void;
  /** Every leaf, for a person who asks why. */
  leaves(values: readonly FeatureValue[], members: Uint8Array): readonly Leaf[];
}

/** The rules of each brand. */
export interface CompiledDefinitions {
  (brandId: string): BrandRules;
  /** The fields of an interaction that some definition asks for. */
  readonly asks: readonly ReadFields[];
}

/** Brands that no definition names come from the data: only so many are remembered. */
const MAX_REMEMBERED_BRANDS = 10_000;

/**
 * Compiles a set of definitions; the function returned answers a brand's rules. A brand that no definition names has the
 * default brand's settings, the segments of every brand and no churn model.
 *
 * @throws ConfigurationError with every fault of every rule and model
 */
export function compileDefinitions(definitions: Definitions): CompiledDefinitions {
  const faults: Fault[] = [];
  const measures = compileMeasures(definitions.measures, faults);
  const asked = readMetricFilters(definitions.experiments.values(), faults);
  const own = new Map(measures.map((measure) => [measure.definition.id, measure]));
  const ratios = compileRatios(definitions.ratios, own, faults);
  const ownRatios = new Map(ratios.map((ratio) => [ratio.definition.id, ratio]));
  const vocabulary = profileVocabulary({ measures: own, ratios: ownRatios }, parseSequence);
  const parsed = definitions.segments.map((definition): ParsedSegment => {
    const where = `${definition.file}: where`;
    const before = faults.length;
    const rule = parseRule(definition.where, where, faults, vocabulary);
    const contradiction = faults.length === before ? contradictionOf(rule) : null;
    if (contradiction !== null) faults.push({ where, message: contradiction });
    return { definition, rule };
  });
  faults.push(...referenceFaults(parsed), ...brandFaults(parsed), ...sequenceFaults(parsed));
  const ordered = orderSegments(parsed, faults);
  for (const model of definitions.churn.values())
    faults.push(...[baselineFault(model)].filter((fault) => fault !== null));
  if (faults.length > 0) throw new ConfigurationError(faults);

  const compiled = new Map<string, BrandRules>();
  const named = new Set(
    [
      ...definitions.brands.keys(),
      ...definitions.churn.keys(),
      ...definitions.journeys.keys(),
      ...definitions.triggers.keys(),
      ...definitions.affinities.keys(),
      ...parsed.flatMap(({ definition }) => definition.brands),
      ...Array.from(definitions.experiments.values(), ({ brands }) => brands).flat(),
      ...definitions.measures.flatMap(({ brands }) => brands),
      ...definitions.ratios.flatMap(({ brands }) => brands),
    ].filter((id) => id !== '*'),
  );
  const all = { definitions, ordered, measures, ratios, readerOf: lazyReader(definitions) };
  const unnamed = compileBrand('', all);
  const rulesOf = (brandId: string): BrandRules => {
    const known = compiled.get(brandId);
    if (known !== undefined) return known;
    const rules = named.has(brandId) ? compileBrand(brandId, all) : { ...unnamed, brandId };
    if (named.has(brandId) || compiled.size < MAX_REMEMBERED_BRANDS) compiled.set(brandId, rules);
    return rules;
  };
  return Object.assign(rulesOf, {
    asks: [
      ...asked,
      ...measures.flatMap(fieldsAsked),
      ...parsed.flatMap(sequencesOf).flatMap(fieldsOfSequence),
      ...[...definitions.affinities.values()].flatMap(fieldsOfAffinity),
      ...(parsed.some(({ rule }) => asksSentiment(rule)) ? [{ text: true, language: true } as const] : []),
    ],
  });
}

/**
 * Which side of the thresholds a value is on: while it stays the same, no comparison with a constant can flip. −1 =
 * missing; for a number 2·i below threshold i and above the one before, 2·i + 1 exactly on it; 0 for anything else, whose
 * changes only events bring.
 */
export function region(thresholds: readonly number[], value: FeatureValue): number {
  if (value === undefined) return -1;
  if (typeof value !== 'number') return 0;
  let index = 0;
  for (; index < thresholds.length; index++) {
    const threshold = thresholds[index] ?? Infinity;
    if (value === threshold) return 2 * index + 1;
    if (value < threshold) break;
  }
  return 2 * index;
}

/** What is compiled for all brands together. */
interface CompiledSet {
  readonly definitions: Definitions;
  readonly ordered: readonly ParsedSegment[];
  readonly measures: readonly UserMeasure[];
  readonly ratios: readonly UserRatio[];
  readonly readerOf: () => SentimentReader;
}

function compileBrand(brandId: string, { definitions, ordered, measures, ratios, readerOf }: CompiledSet): BrandRules {
  const brand: BrandDefinition = definitions.brands.get(brandId) ?? definitions.defaultBrand;
  const isOwn = ({ brands }: { readonly brands: readonly string[] }) =>
    brands.includes('*') || brands.includes(brandId);
  const own = ordered.filter(({ definition }) => isOwn(definition));
  const slots = new Map<string, number>();
  const features: Feature[] = [];
  const slotOf = (path: RulePath): number => {
    const known = slots.get(path.path);
    if (known !== undefined) return known;
    if (path.feature === null) throw new Error(`"${path.path}" is no path of the profile view`);
    const slot = features.push(path.feature) - 1;
    slots.set(path.path, slot);
    return slot;
  };
  const places = new Map(own.map(({ definition }, index) => [definition.id, index]));
  const memberOf = (segmentId: string): number => places.get(segmentId) ?? -1;
  const countedIds = countedSegments(ordered);
  const counted = new Map([...places].filter(([id]) => countedIds.has(id)));
  const constants: Set<number>[] = [];
  const segments = own.map(({ definition, rule }): CompiledSegment => {
    const comparisons = new Map<number, Comparison[]>();
    for (const [path, asked] of pathsOf(rule)) {
      const slot = slotOf(path);
      comparisons.set(slot, [...(comparisons.get(slot) ?? []), ...asked]);
      for (const number of asked.flatMap(numbersOf)) (constants[slot] ??= new Set()).add(number);
    }
    const explanation = compileExplanation(rule, { slotOf, memberOf, counted });
    const named = [...namedSegments(rule).keys()].map(memberOf);
    return {
      id: definition.id,
      slots: [...comparisons.keys()],
      comparisons,
      names: countsSegmentsAt(rule) === null ? named : [...new Set([...named, ...counted.values()])],
      matches: compileRule(rule, { slotOf, memberOf, counted }),
      packEvidence(values, members, matches, writer) {
        packReasons(explanation, values, members, matches, writer);
      },
      leaves(values, members) {
        const leaves: Leaf[] = [];
        explanation.list(values, members, leaves);
        return leaves;
      },
    };
  });
  const thresholds = features.map((_, slot) => [...(constants[slot] ?? [])].sort((left, right) => left - right));
  const churn = definitions.churn.get(brandId);
  return {
    brandId,
    currency: brand.currency,
    timeZone: brand.timeZone,
    lostAfterDays: brand.lostAfterDays,
    hash: definitions.hash,
    features,
    thresholds,
    segments,
    churn: churn === undefined ? null : churnModelOf(churn),
    journey: definitions.journeys.get(brandId) ?? definitions.defaultJourney,
    triggers: definitions.triggers.get(brandId) ?? null,
    surveys: definitions.surveys,
    experiments: [...definitions.experiments.values()].filter(isOwn),
    measures: measures.filter(({ definition }) => isOwn(definition)),
    ratios: ratios.filter(({ definition }) => isOwn(definition)),
    readSentiment: own.some(({ rule }) => asksSentiment(rule)) ? readerOf() : null,
    affinity: definitions.affinities.get(brandId) ?? definitions.affinities.get('default') ?? null,
  };
}

/** Made when the first brand needs it: it takes in every model. */
function lazyReader(definitions: Definitions): () => SentimentReader {
  let reader: SentimentReader | null = null;
  return () => (reader ??= sentimentReader(definitions));
}
