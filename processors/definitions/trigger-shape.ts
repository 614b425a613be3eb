import { z } from 'zod';
import { MEASURES, type Measure } from '../customer/features.ts';

/** The shape of triggers/<brand>.json. What is left out has its defaults; null is not followed at all. */

const Minutes = z.int().min(5).max(43_200);
const Days = z.int().min(1).max(3_650);

/** Enough for every size of brand, and few enough to be looked through at each event. */
const VALUES_MAX = 50;

const Values = z
  .array(z.int().min(1).max(1_000_000_000_000))
  .min(1)
  .max(VALUES_MAX)
  .refine((values) => values.every((value, index) => value > (values[index - 1] ?? 0)), {
    message: 'must be the lowest first, each only once',
  });

const Milestones = z
  .strictObject(
    Object.fromEntries(MEASURES.map((measure) => [measure, Values.optional()])) as Record<
      Measure,
      z.ZodOptional<typeof Values>
    >,
  )
  .refine((lists) => Object.keys(lists).length > 0, {
    message: 'must name a measure, such as {"orders": [1, 5, 10]}, or be null',
  });

export const TriggerFile = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'must be 1 to 64 characters of a-z, 0-9 and -')
    .refine((id) => id !== 'default', 'must be a brand: there are no triggers for every brand'),
  lateHours: z.int().min(0).max(8_760).default(24),
  cart_abandoned: z
    .strictObject({ afterMinutes: Minutes.default(60) })
    .nullable()
    .prefault({}),
  browse_abandoned: z
    .strictObject({ views: z.int().min(1).max(1_000).default(3), afterMinutes: Minutes.default(1_440) })
    .nullable()
    .prefault({}),
  onboarding_stalled: z
    .strictObject({
      afterDays: Days.default(7),
      goal: z
        .enum(MEASURES)
        .exclude(['interactions'], 'must not be interactions: the first one starts it')
        .default('orders'),
    })
    .nullable()
    .prefault({}),
  replenishment_due: z
    .strictObject({
      orderDays: z.int().min(2).max(100).default(3),
      factor: z.number().min(0.25).max(4).default(1),
      minDays: Days.default(7),
    })
    .nullable()
    .prefault({}),
  win_back: z
    .strictObject({ afterDays: Days.default(90) })
    .nullable()
    .prefault({}),
  post_purchase: z
    .strictObject({ afterDays: Days.default(14) })
    .nullable()
    .prefault({}),
  milestone: Milestones.nullable().prefault({ orders: [1, 5, 10, 25, 50, 100] }),
});
