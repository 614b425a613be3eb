import { BRAND_WINDOWS } from '../../processors/core/brand-amounts.ts';
import type { BrandPartial } from '../../schemas/types.ts';

/** Every amount of a partial: those of shorter windows as `name 24h` and so on, what is 0 left out. */
export function everyAmount({ amounts, shorter }: Pick<BrandPartial, 'amounts' | 'shorter'>): Record<string, number> {
  const every: Record<string, number> = { ...amounts };
  for (const [name, sums] of Object.entries(shorter)) {
    for (const [index, sum] of sums.entries()) if (sum !== 0) every[`${name} ${BRAND_WINDOWS[index]}`] = sum;
  }
  return every;
}
