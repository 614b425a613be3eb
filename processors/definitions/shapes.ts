import { z } from 'zod';
import { CHURN_MODELS } from '../core/definitions.ts';

/** The shape of each kind of file. Strict: an unknown field is a fault, since a misspelt one would be silently ignored. */

const Id = z.string().regex(/^[a-z0-9-]{1,64}$/, 'must be 1 to 64 characters of a-z, 0-9 and -');

export const BrandFile = z.strictObject({
  id: Id,
  currency: z.string().refine((code) => CURRENCIES.has(code), 'must be an ISO 4217 code such as "USD"'),
  timeZone: z.string().refine(isTimeZone, 'must be an IANA time zone such as "Asia/Tokyo"').default('UTC'),
  lostAfterDays: z.int().min(1).max(3_650).default(90),
  socialReach: z.int().min(0).nullable().default(null),
});

export const SegmentFile = z.strictObject({
  id: Id,
  name: z.string().trim().min(1).max(128),
  brands: z
    .array(z.union([z.literal('*'), Id]))
    .min(1)
    .default(['*']),
  // What stands in a rule is judged by the rule's own parser, which knows the place inside it.
  where: z.custom<Readonly<Record<string, unknown>>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be an object, a rule such as {"traits.orders.30d": {"$gte": 2}}',
  ),
});

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

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
