import type { AffinityTraits } from '../../schemas/types.ts';
import { AFFINITY_DIMENSIONS, type AffinityDimension } from '../core/affinity-settings.ts';
import { DAY_MS } from '../core/event-time.ts';
import { AFFINITY, firstKey, toldAffinity } from './affinity.ts';
import { toldKeys } from './affinity-ranking.ts';
import type { OpenState } from './open-state.ts';

/** The first key of a dimension; undefined while there is none, or not yet enough of it. */
export function affinityValue({ parts }: OpenState, dimension: AffinityDimension): string | number | undefined {
  if (!parts.has(AFFINITY)) return undefined;
  const ranking = parts.get(AFFINITY).rankings[AFFINITY_DIMENSIONS.indexOf(dimension)];
  const key = ranking === undefined ? undefined : firstKey(ranking);
  return key === undefined || dimension !== 'hour' ? key : Number(key);
}

/** What is told, by dimension. */
export function affinityTraits({ parts }: OpenState): AffinityTraits[] {
  if (!parts.has(AFFINITY)) return NONE;
  const { halfLifeDays, rankings } = toldAffinity(parts);
  return rankings.flatMap((ranking, dimension): AffinityTraits[] => {
    if (ranking.told === 0) return [];
    const keys = toldKeys(ranking, halfLifeDays * DAY_MS);
    return [{ dimension: AFFINITY_DIMENSIONS[dimension] ?? '', lastAt: ranking.lastAt, keys }];
  });
}

const NONE: AffinityTraits[] = [];
