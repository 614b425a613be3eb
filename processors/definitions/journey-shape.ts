import { z } from 'zod';
import { MEASURES, WINDOWS } from '../customer/features.ts';

/** The shape of journeys/<brand>.json. What is left out is as in the shipped default; null is not followed at all. */

const Id = z.string().regex(/^[a-z0-9-]{1,64}$/, 'must be 1 to 64 characters of a-z, 0-9 and -');
/** No window of tiles is longer than a year. */
const WindowDays = z.int().min(1).max(365);
const Days = z.int().min(1).max(3_650);

const Stages = z.strictObject({
  considerationViews: z.int().min(1).max(1_000).default(3),
  considerationDays: WindowDays.default(30),
  onboardingDays: Days.default(30),
  retentionDays: Days.default(90),
  advocacyDays: Days.default(180),
  minDwellHours: z.int().min(0).max(8_760).default(24),
});

const Lifecycle = z
  .strictObject({
    newDays: Days.default(14),
    activeDays: Days.default(30),
    dormantDays: Days.default(60),
    churnedDays: Days.default(180),
    resurrectedDays: Days.default(30),
  })
  .refine(({ activeDays, dormantDays }) => activeDays < dormantDays, {
    message: 'must be more than activeDays',
    path: ['dormantDays'],
  })
  .refine(({ dormantDays, churnedDays }) => dormantDays < churnedDays, {
    message: 'must be more than dormantDays',
    path: ['churnedDays'],
  });

const Loyalty = z.strictObject({
  measure: z.enum(MEASURES).default('points_earned'),
  window: z.enum(WINDOWS).default('365d'),
  tiers: z
    .array(z.strictObject({ id: Id, atLeast: z.int().min(0).max(1_000_000_000_000) }))
    .min(1)
    .max(20)
    .refine((tiers) => tiers.every(({ atLeast }, index) => atLeast > (tiers[index - 1]?.atLeast ?? -1)), {
      message: 'must be the lowest first, each with more than the one before',
    })
    .refine((tiers) => new Set(tiers.map(({ id }) => id)).size === tiers.length, { message: 'must have different ids' })
    .default([
      { id: 'member', atLeast: 0 },
      { id: 'silver', atLeast: 500 },
      { id: 'gold', atLeast: 2_000 },
    ]),
});

export const JourneyFile = z.strictObject({
  id: Id,
  stages: Stages.nullable().prefault({}),
  lifecycle: Lifecycle.nullable().prefault({}),
  loyalty: Loyalty.nullable().prefault({}),
});
