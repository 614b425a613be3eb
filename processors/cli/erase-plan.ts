import type { IdentityMerged } from '../../schemas/types.ts';
import { strengthOf, subjectKey } from '../core/identity.ts';
import { ByteReader } from '../core/packing.ts';
import type { Instant } from '../core/processor.ts';
import { splitTouchpointKey } from '../core/touchpoint-key.ts';
import type { ErasureReceipt } from '../runtime/erasure-store.ts';
import { storeName } from '../runtime/pipeline-ports.ts';
import { isErasedCase } from '../touchpoint/case-state.ts';
import { touchpointPacking } from '../touchpoint/state.ts';
import { isOpen, receiptsAbout, subjectsBehind } from './erase-receipts.ts';
import { hashOf } from './erasure-subjects.ts';
import { CUSTOMER, TOUCHPOINT, type ErasureWorld } from './erasure-world.ts';
import { readTopic } from './erasure-topics.ts';

/** Whom an erasure is about, and where there is something of them. */
export interface ErasurePlan {
  readonly brand: string;
  /** Every identifier of the person, the strongest first. */
  readonly subjects: readonly string[];
  /** The key of every case of theirs that there is a document of. */
  readonly cases: readonly string[];
  /** Erasures of some of them that broke off. */
  readonly open: readonly ErasureReceipt[];
}

/** What a plan begins with. */
export interface Asked {
  readonly brand: string;
  readonly given: readonly string[];
  /** By which receipts name their subjects; null: they tell nothing. */
  readonly erasureKey: string | null;
}

/** A document about somebody who is to be erased. */
export interface FoundDocument {
  readonly key: string;
  readonly seq: number;
  /** Until when everything was erased; −1: never. */
  readonly erasedAt: Instant;
  /** Nothing but that stands in it. */
  readonly isErased: boolean;
}

/** What was published last of the links of a brand. */
interface Links {
  /** By weaker subject the stronger one. */
  readonly strongerOf: ReadonlyMap<string, string>;
  /** Who was parted again: a document that still tells of the link is from before. */
  readonly parted: ReadonlySet<string>;
}

/**
 * Follows every link from some identifiers: those that documents hold, and those that were published, since a document forgets
 * whom it was linked to when nothing came of it; and the receipts of erasures that broke off, since an erased document forgets,
 * too, and what was published is compacted away in time.
 */
export async function planErasure(
  world: ErasureWorld,
  { brand, given, erasureKey }: Asked,
  progress: (line: () => string) => void,
): Promise<ErasurePlan> {
  const links = await publishedLinks(world, brand, progress);
  const known = new Set(given);
  let open: readonly ErasureReceipt[] = [];
  for (let found = [...given]; found.length > 0;) {
    await followLinks(world, brand, links, known, found);
    if (erasureKey === null) break;
    const hashes = new Set([...known].map((subject) => hashOf(erasureKey, subjectKey(brand, subject))));
    open = await receiptsAbout(world, brand, hashes, isOpen);
    const unknown = new Set(open.flatMap(({ subjects }) => subjects).filter((hash) => !hashes.has(hash)));
    found = await subjectsBehind(world, brand, unknown, erasureKey);
    for (const subject of found) known.add(subject);
  }
  const subjects = [...known].sort((a, b) => strengthOf(b) - strengthOf(a) || (a < b ? -1 : 1));
  return { brand, subjects, cases: await caseKeys(world, brand, known, progress), open };
}

async function followLinks(
  world: ErasureWorld,
  brand: string,
  links: Links,
  known: Set<string>,
  from: readonly string[],
): Promise<void> {
  for (let found = from; found.length > 0;) {
    const next = new Set([...(await linkedTo(world, brand, links, found)), ...publishedWith(links, found)]);
    found = [...next].filter((subject) => !known.has(subject));
    for (const subject of found) known.add(subject);
  }
}

/**
 * The documents of their cases. A touchpoint that never knew them has none, and gets none: what of the time before is yet to come
 * there is found by the next look.
 */
async function caseKeys(
  { erasures }: ErasureWorld,
  brand: string,
  subjects: ReadonlySet<string>,
  progress: (line: () => string) => void,
): Promise<string[]> {
  const cases: string[] = [];
  let documents = 0;
  for await (const key of erasures.keys(storeName(TOUCHPOINT), `${brand}|`)) {
    documents += 1;
    progress(() => `${documents} documents of touchpoints`);
    if (subjects.has(splitTouchpointKey(key).last)) cases.push(key);
  }
  return cases;
}

/** The customers' own documents, as far as they are stored. */
export async function customersOf(world: ErasureWorld, { brand, subjects }: ErasurePlan): Promise<FoundDocument[]> {
  const { customer } = world;
  const keys = subjects.map((subject) => subjectKey(brand, subject));
  const stored = await world.store.documents(storeName(CUSTOMER)).load(keys);
  return stored.map(({ key, seq, state: packed }) => {
    const state = customer.state.unpack(new ByteReader(packed));
    return { key, seq, erasedAt: customer.links(state).erasedAt ?? -1, isErased: customer.isErased(state) };
  });
}

/** The documents of their cases, as far as they are stored. */
export async function casesOf(world: ErasureWorld, plan: ErasurePlan): Promise<FoundDocument[]> {
  const stored = await world.store.documents(storeName(TOUCHPOINT)).load(plan.cases);
  return stored.flatMap(({ key, seq, state: packed }) => {
    const state = touchpointPacking.unpack(new ByteReader(packed));
    if (state.kind !== 'case') return [];
    return [{ key, seq, erasedAt: state.erasedAt, isErased: isErasedCase(state) }];
  });
}

async function publishedLinks(
  world: ErasureWorld,
  brand: string,
  progress: (line: () => string) => void,
): Promise<Links> {
  const strongerOf = new Map<string, string>();
  const parted = new Set<string>();
  let records = 0;
  await readTopic(world, 'identity-merges.v1', ({ key }, value) => {
    records += 1;
    progress(() => `identity-merges.v1: ${records} records`);
    const told = value as Partial<IdentityMerged> | null;
    const text = key?.toString() ?? '';
    if (!text.startsWith(`${brand}|`)) return;
    const weaker = text.slice(brand.length + 1);
    // A tombstone ends no link: an erasure that broke off wrote it, and the same command again must find whom it meant.
    if (told?.stronger === undefined) return;
    if (told.split === true) {
      strongerOf.delete(weaker);
      parted.add(weaker);
    } else {
      strongerOf.set(weaker, told.stronger);
      parted.delete(weaker);
    }
  });
  return { strongerOf, parted };
}

function publishedWith({ strongerOf }: Links, subjects: readonly string[]): string[] {
  const wanted = new Set(subjects);
  return [...strongerOf].flatMap(([weaker, stronger]) => [
    ...(wanted.has(weaker) ? [stronger] : []),
    ...(wanted.has(stronger) ? [weaker] : []),
  ]);
}

async function linkedTo(
  { customer, store }: ErasureWorld,
  brand: string,
  { parted }: Links,
  subjects: readonly string[],
): Promise<string[]> {
  const keys = subjects.map((subject) => subjectKey(brand, subject));
  const stored = await store.documents(storeName(CUSTOMER)).load(keys);
  return stored.flatMap(({ key, state }) => {
    const { redirect, held } = customer.links(customer.state.unpack(new ByteReader(state)));
    const isParted = parted.has(key.slice(brand.length + 1));
    const weaker = held.flatMap(({ subject, via }) => (via === null ? [subject] : [subject, via]));
    return [...(redirect === null || isParted ? [] : [redirect]), ...weaker.filter((each) => !parted.has(each))];
  });
}
