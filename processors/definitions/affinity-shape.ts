import { z } from 'zod';
import { AFFINITY_DIMENSIONS } from '../core/affinity-settings.ts';
import { FOLDED_TYPES } from '../customer/event-fields.ts';

/** The shape of affinities/<brand>.json. */
export const AffinityFile = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]{1,64}$/, 'must be 1 to 64 characters of a-z, 0-9 and -'),
  dimensions: z
    .array(z.enum(AFFINITY_DIMENSIONS))
    .min(1)
    .refine((dimensions) => new Set(dimensions).size === dimensions.length, { message: 'must be different' })
    .default([...AFFINITY_DIMENSIONS]),
  halfLifeDays: z.int().min(1).max(365).default(30),
  minimumWeight: z.number().min(0).max(1_000_000).default(3),
  /** Our own choice: a product in the cart is worth three looks at it, a bought one five. */
  weights: z
    .partialRecord(z.enum(FOLDED_TYPES), z.int().min(1).max(100))
    .default({ PRODUCT_VIEW: 1, CART_ADD: 3, ORDER_PLACED: 5 }),
});
