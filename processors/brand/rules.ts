import type { Definitions } from '../core/definitions.ts';
import { fingerprint } from '../core/fingerprint.ts';

/** What the measures of one brand need of its definition. */
export interface BrandRules {
  readonly currency: string;
  readonly lostAfterDays: number;
  readonly socialReach: number | null;
  /** Of the whole set of definitions. */
  readonly definitionsVersion: string;
  /** What of it figures depend on, in 52 bits, never 0: whoever published under another one publishes everything anew. */
  readonly version: number;
}

/** Brands come from the data, so only so many are remembered. */
const BRANDS_MAX = 10_000;

export function rulesOf(definitions: Definitions): (brandId: string) => BrandRules {
  const known = new Map<string, BrandRules>();
  return (brandId) => {
    let rules = known.get(brandId);
    if (rules === undefined) {
      const { currency, lostAfterDays, socialReach } = definitions.brands.get(brandId) ?? definitions.defaultBrand;
      const version = fingerprint(JSON.stringify([currency, lostAfterDays, socialReach])) || 1;
      rules = { currency, lostAfterDays, socialReach, definitionsVersion: definitions.hash, version };
      if (known.size >= BRANDS_MAX) known.clear();
      known.set(brandId, rules);
    }
    return rules;
  };
}
