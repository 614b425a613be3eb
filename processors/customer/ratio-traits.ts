import type { RatioTraits } from '../../schemas/types.ts';
import type { Instant } from '../core/processor.ts';
import type { BrandRules } from './brand-rules.ts';
import { WINDOWS, type Window } from './features.ts';
import { FIELD_OF_WINDOW } from './measured-traits.ts';
import type { OpenState } from './open-state.ts';
import { ratioValue } from './user-ratios.ts';
import { SPANS } from './windows.ts';

/** The brand's own ratios that have a value over some window. */
export function ownRatioTraits(open: OpenState, { ratios }: Pick<BrandRules, 'ratios'>, now: Instant): RatioTraits[] {
  if (ratios.length === 0) return NONE;
  const traits = ratios.map((ratio): RatioTraits => {
    const over = (window: Window): number | null => ratioValue(open, ratio, SPANS[window], now) ?? null;
    return {
      ratio: ratio.definition.id,
      last1h: over('1h'),
      last24h: over('24h'),
      last7d: over('7d'),
      last30d: over('30d'),
      last90d: over('90d'),
      last365d: over('365d'),
      lifetime: over('lifetime'),
    };
  });
  return traits.filter((each) => WINDOWS.some((window) => each[FIELD_OF_WINDOW[window]] !== null));
}

const NONE: RatioTraits[] = [];
