import { z } from 'zod';
import { CHURN_MODELS, EXPERIMENT_METRIC_KINDS, MEASURE_KINDS } from '../core/definitions.ts';
import { INTERACTION_TYPES } from '../core/interaction-types.ts';
import { METRICS } from '../core/surveys.ts';

/** The shape of each kind of file. Strict: an unknown field is a fault, since a misspelt one would be silently ignored. */

const Id = z.string().regex(/^[a-z0-9-]{1,64}$/, 'must be 1 to 64 characters of a-z, 0-9 and -');

export const BrandFile = z.strictObject({
  id: Id,
  currency: z.string().refine((code) => CURRENCIES.has(code), 'must be an ISO 4217 code such as "USD"'),
  timeZone: z.string().refine(isTimeZone, 'must be an IANA time zone such as "Asia/Tokyo"').default('UTC'),
  lostAfterDays: z.int().min(1).max(3_650).default(90),
  socialReach: z.int().min(0).nullable().default(null),
});

const Brands = z
  .array(z.union([z.literal('*'), Id]))
  .min(1)
  .default(['*']);

export const SegmentFile = z.strictObject({
  id: Id,
  name: z.string().trim().min(1).max(128),
  brands: Brands,
  // What stands in a rule is judged by the rule's own parser, which knows the place inside it.
  where: z.custom<Readonly<Record<string, unknown>>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be an object, a rule such as {"traits.orders.30d": {"$gte": 2}}',
  ),
});

export const MeasureFile = z.strictObject({
  id: Id,
  name: z.string().trim().min(1).max(128),
  brands: z
    .array(z.union([z.literal('*'), Id]))
    .min(1)
    .default(['*']),
  of: z.enum(MEASURE_KINDS),
  value: z.string().nullable().default(null),
  where: z.custom<Readonly<Record<string, unknown>>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be an object, a filter such as {"type": "ORDER_PLACED"}',
  ),
});

/** What may be divided is judged by customer/user-ratios.ts. */
export const RatioFile = z.strictObject({
  id: Id,
  name: z.string().trim().min(1).max(128),
  brands: Brands,
  numerator: z.string(),
  denominator: z.string(),
});

/** As training bounds a model. */
const GRAMS_MAX = 20_000;
const GRAM_UNITS_MAX = 3;

/** Each has a gauge for what it counts on each channel. */
const SHOWN_MAX = 100;

const Positive = z.number().positive();
const Weeks = z.number().min(0);

export const ChurnFile = z.strictObject({
  model: z.enum(CHURN_MODELS),
  horizonDays: z.int().min(1).max(3_650),
  parameters: z.strictObject({ r: Positive, alpha: Positive, a: Positive, b: Positive }),
  baseline: z
    .strictObject({ probability: z.number().min(0).max(1), x: Weeks, tx: Weeks, T: Weeks })
    .refine(({ tx, T }) => tx <= T, { message: 'must not be later than T: tx ≤ T', path: ['tx'] })
    .refine(({ x, tx }) => x > 0 || tx === 0, { message: 'must be 0 when x is 0', path: ['tx'] }),
  fittedAt: z.iso.datetime(),
  /** How the model did when it was judged: any numbers and remarks. */
  quality: z.record(z.string(), z.union([z.number(), z.string(), z.null()])).default({}),
});

/** What is left out is as on the metric's usual scale; completed and judged by survey-file.ts. */
export const SurveyFile = z.strictObject({
  id: Id,
  brands: Brands,
  metric: z.enum(METRICS),
  min: z.int().min(-1_000).max(1_000).optional(),
  max: z.int().min(-1_000).max(1_000).optional(),
  good: z.enum(['high', 'low']).optional(),
  satisfiedFrom: z.int().optional(),
  dissatisfiedFrom: z.int().optional(),
});

export const TouchpointFile = z
  .strictObject({
    id: Id,
    baselineAnswers: z.int().min(20).max(100_000).default(100),
    subgroupAnswers: z.int().min(1).max(1_000).default(5),
    inControlAnswers: z.int().min(100).max(10_000_000).default(2_500),
    shift: z.number().min(0.2).max(4).default(1),
    smoothing: z.number().min(0.05).max(1).default(0.1),
    dissatisfiedRatio: z.number().min(1.2).max(10).default(2),
    complaintBaselineDays: z.int().min(7).max(365).default(28),
    inControlDays: z.int().min(30).max(100_000).default(365),
    relearnAfterDays: z.int().min(1).max(3_650).default(30),
    caseDueHours: z.int().min(1).max(87_600).default(72),
    shown: z.array(z.string().min(1).max(256)).max(SHOWN_MAX).default([]),
  })
  .refine(({ inControlAnswers, subgroupAnswers }) => inControlAnswers >= 20 * subgroupAnswers, {
    message: 'must be at least 20 times subgroupAnswers',
    path: ['inControlAnswers'],
  });

const Count = z.int().min(0);
const ByFeeling = z.tuple([Count, Count, Count]);

/** As `kizuna sentiment train` writes it. */
export const SentimentFile = z.strictObject({
  language: z.string().regex(/^[a-z]{2,3}$/, 'must be the primary subtag of a language, such as "ja"'),
  /** Texts it was trained on, negative, neutral and positive. */
  texts: z.tuple([Count.min(1), Count.min(1), Count.min(1)]),
  sharpness: z.number().positive().max(1),
  /** How it did in cross-validation: any numbers and remarks. */
  quality: z.record(z.string(), z.union([z.number(), z.string(), z.null()])).default({}),
  grams: z
    .record(z.string(), ByFeeling)
    .refine((grams) => Object.keys(grams).every(isGram), `must be of n-grams of 1 to ${GRAM_UNITS_MAX} characters`)
    .refine((grams) => Object.keys(grams).length <= GRAMS_MAX, `must not hold more than ${GRAMS_MAX} n-grams`),
});

const VariantId = z.string().regex(/^[\w-]{1,64}$/, 'must be 1 to 64 characters of a-z, A-Z, 0-9, _ and -');

/** What hangs together is judged by experiment-file.ts. */
export const ExperimentFile = z.strictObject({
  id: Id,
  name: z.string().trim().min(1).max(128),
  brands: Brands,
  variants: z
    .array(
      z.strictObject({
        id: VariantId,
        share: z.number().min(0.001).max(0.999),
        control: z.boolean().default(false),
      }),
    )
    .min(2)
    .max(10),
  metrics: z
    .array(
      z.strictObject({
        id: Id,
        kind: z.enum(EXPERIMENT_METRIC_KINDS),
        types: z.array(z.enum(INTERACTION_TYPES).exclude(['UNKNOWN'])).default([]),
        where: z.record(z.string(), z.unknown()).nullable().default(null),
        windowDays: z.int().min(1).max(90),
        direction: z.enum(['up', 'down']).default('up'),
        guardrail: z.boolean().default(false),
        margin: z.number().min(0).max(1).default(0),
      }),
    )
    .min(1)
    .max(20),
  alpha: z.number().min(0.0001).max(0.2).default(0.05),
  tuningUnits: z.int().min(100).max(1_000_000_000).default(5_000),
  holdout: Id.nullable().default(null),
});

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

function isGram({ length }: string): boolean {
  return length >= 1 && length <= GRAM_UNITS_MAX;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
