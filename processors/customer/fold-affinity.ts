import type { Instant } from '../core/processor.ts';
import { AFFINITY, firstKey, startAnew } from './affinity.ts';
import { CAPACITIES, CATEGORY, CHANNEL, HOUR, PRODUCT, type AffinityPlan } from './affinity-plan.ts';
import { addToRanking, tellFirst, type Ranking } from './affinity-ranking.ts';
import { isInteraction } from './measures.ts';
import type { OpenParts } from './parts.ts';
import type { FoldedInteraction } from './read-fields.ts';

/**
 * Counts an interaction that a person made: its products and their categories, each once, for the points of its type; its channel
 * and the hour, when it is something the customer did, for one. Answers a bit for each dimension that has another first key now.
 */
export function foldAffinity(
  parts: OpenParts,
  plan: AffinityPlan,
  interaction: FoldedInteraction,
  at: Instant,
): number {
  const { type, channel, machineGenerated } = interaction;
  if (machineGenerated) return 0;
  const points = plan.pointsOf.get(type) ?? 0;
  const isDone = isInteraction(type);
  if (points === 0 && !isDone) return 0;
  const affinity = parts.get(AFFINITY);
  if (affinity.halfLifeDays !== plan.halfLifeDays) startAnew(affinity, plan.halfLifeDays);
  let moved = 0;
  for (let dimension = 0; dimension < affinity.rankings.length; dimension++) {
    const ranking = affinity.rankings[dimension];
    if (ranking === undefined || plan.isFollowed[dimension] !== true) continue;
    const before = firstKey(ranking);
    if (dimension === CHANNEL) {
      if (isDone && channel !== 'UNKNOWN') add(ranking, CHANNEL, channel, 1, at, plan);
    } else if (dimension === HOUR) {
      if (isDone) add(ranking, HOUR, String(plan.hourOf(at)), 1, at, plan);
    } else if (points > 0) {
      addProducts(ranking, dimension, interaction, points, at, plan);
    }
    tellFirst(ranking, plan);
    if (firstKey(ranking) !== before) moved |= 1 << dimension;
  }
  parts.put(AFFINITY, affinity);
  return moved;
}

/** Of an order each product, or category, counts once, however many lines it has. */
function addProducts(
  ranking: Ranking,
  dimension: number,
  { product, order }: FoldedInteraction,
  points: number,
  at: Instant,
  plan: AffinityPlan,
): void {
  const own = product === null || product === undefined ? null : keyOf(product, dimension);
  if (own !== null) add(ranking, dimension, own, points, at, plan);
  const items = order?.items ?? NO_ITEMS;
  for (let line = 0; line < items.length; line++) {
    const item = items[line];
    const key = item === undefined ? null : keyOf(item, dimension);
    if (key === null || key === own || isAmongFirst(items, line, key, dimension)) continue;
    add(ranking, dimension, key, points, at, plan);
  }
}

interface Thing {
  readonly productId?: string;
  readonly category?: string | null;
}

const NO_ITEMS: readonly Thing[] = [];

/** Null for a thing without a name, or without a category. */
function keyOf({ productId, category }: Thing, dimension: number): string | null {
  const key = dimension === CATEGORY ? category : dimension === PRODUCT ? productId : null;
  return key === undefined || key === '' ? null : key;
}

function isAmongFirst(items: readonly Thing[], count: number, key: string, dimension: number): boolean {
  for (let line = 0; line < count; line++) {
    const item = items[line];
    if (item !== undefined && keyOf(item, dimension) === key) return true;
  }
  return false;
}

function add(ranking: Ranking, dimension: number, key: string, points: number, at: Instant, plan: AffinityPlan): void {
  addToRanking(ranking, key, points, at, plan.halfLifeMs, CAPACITIES[dimension] ?? 0);
}
