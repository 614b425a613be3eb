import type { Instant } from '../core/processor.ts';
import { compareTexts } from './rule-comparisons.ts';

/**
 * The keys that a customer turned to most, newer events weighing more. An event of age a weighs its points · 2^(−a / half-life).
 * That is a forward decay: relative to a landmark before all events every weight is constant, and all shrink by the same factor
 * as time passes, so silence changes no rank and there is nothing to follow. Source: Cormode, Shkapenyuk, Srivastava and Xu,
 * "Forward decay" (ICDE 2009), exponential decay, with their renormalisation to a later landmark, here the half-life in which
 * the newest event lies: a division by powers of two, which is exact.
 *
 * Of more keys than there is room for, the least goes and the new one takes over its weight, as error: the weighted
 * Space-Saving of Metwally, Agrawal and El Abbadi, "Efficient computation of frequent and top-k elements in data streams" (ICDT
 * 2005), which Cormode et al. use for decayed weights too. A key with more than 1 / capacity of all weight is always there, and
 * its weight is at most by its error too large. Keys are ranked by what they certainly have, weight − error.
 */
export interface Ranking {
  /** The newest event that counted; weights are those at the beginning of its half-life. −1: there was none. */
  lastAt: Instant;
  /** So many of the first keys are told, as last judged. */
  told: number;
  /** The first is the one turned to most. */
  readonly entries: Ranked[];
}

export interface Ranked {
  readonly key: string;
  weight: number;
  /** Of the weight, at most so much belongs to keys that had to go. */
  error: number;
  lastAt: Instant;
}

/**
 * Weights are multiples of this, so that sums are exact and do not depend on the order of events: as long as these lie within
 * 20 half-lives and weigh less than 2^17 together.
 */
const STEPS = 2 ** 16;

/** At most so many keys are told. */
const TOLD_MAX = 3;

export interface Telling {
  /** What the key must certainly weigh. */
  readonly minimumWeight: number;
  readonly halfLifeMs: number;
}

export function newRanking(): Ranking {
  return { lastAt: -1, told: 0, entries: [] };
}

/** Counts an event of `at`, whenever it comes, for a key. */
export function addToRanking(
  ranking: Ranking,
  key: string,
  points: number,
  at: Instant,
  halfLifeMs: number,
  capacity: number,
): void {
  moveTo(ranking, at, halfLifeMs);
  const { entries } = ranking;
  const weight = points * growth(at, halfLifeMs) * 2 ** (Math.floor(at / halfLifeMs) - landmark(ranking, halfLifeMs));
  // A thousand half-lives late: less than the least number there is.
  if (weight === 0) return;
  let place = 0;
  while (place < entries.length && entries[place]?.key !== key) place += 1;
  const known = entries[place];
  if (known !== undefined) {
    known.weight += weight;
    if (at > known.lastAt) known.lastAt = at;
  } else {
    const error = entries.length < capacity ? 0 : removeLeast(entries);
    place = entries.push({ key, weight: error + weight, error, lastAt: at }) - 1;
  }
  raise(entries, place);
}

/**
 * Adds what another customer, who is the same, turned to. A key that only one of two full rankings has may have had as much as
 * the least of the other (Cafaro, Pulimeno and Tempesta, "A parallel Space Saving algorithm", 2016).
 */
export function mergeRankings(into: Ranking, from: Ranking, halfLifeMs: number, capacity: number): void {
  if (from.lastAt < 0) return;
  moveTo(into, from.lastAt, halfLifeMs);
  moveTo(from, into.lastAt, halfLifeMs);
  const missedByInto = leastOf(into.entries, capacity);
  const missedByFrom = leastOf(from.entries, capacity);
  const { entries } = into;
  for (const own of entries) {
    const other = from.entries.find(({ key }) => key === own.key);
    own.weight += other?.weight ?? missedByFrom;
    own.error += other?.error ?? missedByFrom;
    if (other !== undefined && other.lastAt > own.lastAt) own.lastAt = other.lastAt;
  }
  for (const { key, weight, error, lastAt } of from.entries) {
    if (entries.some((own) => own.key === key)) continue;
    entries.push({ key, weight: weight + missedByInto, error: error + missedByInto, lastAt });
  }
  while (entries.length > capacity) removeLeast(entries);
  entries.sort((left, right) => (isAhead(left, right) ? -1 : 1));
}

/** Judges how many keys are told: at the newest event that counted, so that it is no matter of time passing. */
export function tellFirst(ranking: Ranking, { minimumWeight, halfLifeMs }: Telling): void {
  let told = 0;
  while (told < TOLD_MAX && told < ranking.entries.length) {
    if (certainWeight(ranking, told, halfLifeMs) < minimumWeight) break;
    told += 1;
  }
  ranking.told = told;
}

/** The keys that are told, with what they certainly weigh at the newest event that counted. */
export function toldKeys(ranking: Ranking, halfLifeMs: number): { readonly key: string; readonly weight: number }[] {
  return ranking.entries.slice(0, ranking.told).map(({ key }, place) => {
    return { key, weight: certainWeight(ranking, place, halfLifeMs) };
  });
}

function certainWeight(ranking: Ranking, place: number, halfLifeMs: number): number {
  const entry = ranking.entries[place];
  return entry === undefined ? 0 : (entry.weight - entry.error) / growth(ranking.lastAt, halfLifeMs);
}

/** Moves the landmark to the half-life of `at`, if that is later; keys that weigh nothing any more go. */
function moveTo(ranking: Ranking, at: Instant, halfLifeMs: number): void {
  if (at <= ranking.lastAt) return;
  const shift = landmark(ranking, halfLifeMs) - Math.floor(at / halfLifeMs);
  ranking.lastAt = at;
  if (shift === 0) return;
  const { entries } = ranking;
  const factor = 2 ** shift;
  let kept = 0;
  for (const entry of entries) {
    entry.weight *= factor;
    entry.error *= factor;
    if (entry.weight > 0) entries[kept++] = entry;
  }
  entries.length = kept;
}

function landmark({ lastAt }: Ranking, halfLifeMs: number): number {
  return Math.floor(lastAt / halfLifeMs);
}

/** How much an event at `at` weighs beside one at the beginning of the same half-life: from 1 to 2. */
function growth(at: Instant, halfLifeMs: number): number {
  const part = (at - Math.floor(at / halfLifeMs) * halfLifeMs) / halfLifeMs;
  return Math.round(2 ** part * STEPS) / STEPS;
}

/** Moves an entry that grew to where it belongs. */
function raise(entries: Ranked[], from: number): void {
  const entry = entries[from];
  if (entry === undefined) return;
  let place = from;
  for (; place > 0; place--) {
    const before = entries[place - 1];
    if (before === undefined || !isAhead(entry, before)) break;
    entries[place] = before;
  }
  entries[place] = entry;
}

/** By what is certain, then the one turned to last, then by text. */
function isAhead(left: Ranked, right: Ranked): boolean {
  const difference = left.weight - left.error - (right.weight - right.error);
  if (difference !== 0) return difference > 0;
  if (left.lastAt !== right.lastAt) return left.lastAt > right.lastAt;
  return compareTexts(left.key, right.key) < 0;
}

/** Takes out the entry of least weight, of equal ones the one turned to longest ago; answers its weight. */
function removeLeast(entries: Ranked[]): number {
  let least = 0;
  for (let place = 1; place < entries.length; place++) {
    if (isLess(entries[place], entries[least])) least = place;
  }
  return entries.splice(least, 1)[0]?.weight ?? 0;
}

function isLess(entry: Ranked | undefined, than: Ranked | undefined): boolean {
  if (entry === undefined || than === undefined) return false;
  if (entry.weight !== than.weight) return entry.weight < than.weight;
  if (entry.lastAt !== than.lastAt) return entry.lastAt < than.lastAt;
  return compareTexts(entry.key, than.key) > 0;
}

/** What a key that is not there may have weighed. */
function leastOf(entries: readonly Ranked[], capacity: number): number {
  if (entries.length < capacity) return 0;
  let least = Infinity;
  for (const { weight } of entries) if (weight < least) least = weight;
  return least;
}
