import { AFFINITY_DIMENSIONS } from '../core/affinity-settings.ts';
import type { ByteReader } from '../core/packing.ts';
import { NEVER } from '../core/processor.ts';
import { CAPACITIES, type AffinityPlan } from './affinity-plan.ts';
import { mergeRankings, newRanking, tellFirst, type Ranked, type Ranking } from './affinity-ranking.ts';
import type { OpenParts, Part } from './parts.ts';

/** What a customer turns to: categories, products, channels and hours of the day, each ranked (affinity-ranking.ts). */
export interface Affinity {
  /** By which weights decay; 0: nothing counted yet. */
  halfLifeDays: number;
  /** By place of the dimension. */
  rankings: Ranking[];
}

/** What was followed under other settings is forgotten, or judged by those of now. */
export function reviewAffinity(parts: OpenParts, plan: AffinityPlan | null): void {
  if (!parts.has(AFFINITY)) return;
  const affinity = parts.get(AFFINITY);
  review(affinity, plan);
  parts.put(AFFINITY, affinity);
}

export const AFFINITY: Part<Affinity> = {
  id: 71,
  initial: () => ({ halfLifeDays: 0, rankings: [] }),
  nextDue: () => NEVER,

  write({ halfLifeDays, rankings }, writer) {
    if (rankings.every(({ entries }) => entries.length === 0)) return;
    writer.uint(halfLifeDays);
    for (const { lastAt, told, entries } of rankings) {
      writer.uint(entries.length);
      if (entries.length === 0) continue;
      writer.uint(lastAt);
      writer.byte(told);
      for (const { key, weight, error, lastAt: last } of entries) {
        writer.string(key);
        writer.double(weight);
        writer.uint((lastAt - last) * 2 + (error > 0 ? 1 : 0));
        if (error > 0) writer.double(error);
      }
    }
  },

  read: (reader) => read(reader, true),
};

/** What is told alone, without making anything of the other keys, when nothing of it is open yet. */
export function toldAffinity(parts: OpenParts): Affinity {
  const packed = parts.packed(AFFINITY);
  return packed === null ? parts.get(AFFINITY) : read(packed, false);
}

function read(reader: ByteReader, isWhole: boolean): Affinity {
  const halfLifeDays = reader.uint();
  const rankings: Ranking[] = [];
  while (rankings.length < AFFINITY_DIMENSIONS.length) rankings.push(readRanking(reader, isWhole));
  return { halfLifeDays, rankings };
}

function readRanking(reader: ByteReader, isWhole: boolean): Ranking {
  const count = reader.uint();
  if (count === 0) return newRanking();
  const lastAt = reader.uint();
  const told = reader.byte();
  const entries: Ranked[] = [];
  for (let place = 0; place < count; place++) {
    if (isWhole || place < told) {
      const key = reader.string();
      const weight = reader.double();
      const behind = reader.uint();
      const error = behind % 2 === 1 ? reader.double() : 0;
      entries.push({ key, weight, error, lastAt: lastAt - Math.floor(behind / 2) });
    } else {
      reader.skip(reader.uint() + DOUBLE_BYTES);
      if (reader.uint() % 2 === 1) reader.skip(DOUBLE_BYTES);
    }
  }
  return { lastAt, told, entries };
}

const DOUBLE_BYTES = 8;

/** Takes in what another customer, who is the same, turned to: weights are added up. */
export function mergeAffinity(into: Affinity, from: Affinity, plan: AffinityPlan | null): void {
  review(into, plan);
  if (plan === null || from.halfLifeDays !== plan.halfLifeDays) return;
  if (into.halfLifeDays === 0) startAnew(into, plan.halfLifeDays);
  for (let dimension = 0; dimension < into.rankings.length; dimension++) {
    const [own, other] = [into.rankings[dimension], from.rankings[dimension]];
    if (own === undefined || other === undefined || plan.isFollowed[dimension] !== true) continue;
    mergeRankings(own, other, plan.halfLifeMs, CAPACITIES[dimension] ?? 0);
    tellFirst(own, plan);
  }
}

function review(affinity: Affinity, plan: AffinityPlan | null): void {
  if (plan === null || affinity.halfLifeDays !== plan.halfLifeDays) {
    affinity.halfLifeDays = 0;
    affinity.rankings = [];
    return;
  }
  for (let dimension = 0; dimension < affinity.rankings.length; dimension++) {
    if (plan.isFollowed[dimension] !== true) affinity.rankings[dimension] = newRanking();
    else tellFirst(affinity.rankings[dimension] ?? newRanking(), plan);
  }
}

/** Nothing counted so far. */
export function startAnew(affinity: Affinity, halfLifeDays: number): void {
  affinity.halfLifeDays = halfLifeDays;
  affinity.rankings = AFFINITY_DIMENSIONS.map(newRanking);
}

/** The key turned to most; undefined while there is none, or not yet enough of it. */
export function firstKey({ told, entries }: Ranking): string | undefined {
  return told === 0 ? undefined : entries[0]?.key;
}
