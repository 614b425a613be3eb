import { NEVER, type Instant } from '../core/processor.ts';
import { fingerprint } from '../core/fingerprint.ts';
import { utcDay } from '../core/event-time.ts';
import {
  BRAND_STANDINGS,
  BRAND_SUMS,
  brandKey,
  OTHER,
  splitBrandKey,
  WHOLE,
  type Dimension,
} from '../core/brand-amounts.ts';
import { COMES, LEAVES, STAYS, type BrandChanges } from './brand-changes.ts';
import { countAt } from './brand-standing.ts';
import type { SegmentList } from './segment-list.ts';

/** Days of a window beside the current one. */
export const WINDOW_DAYS = 365;
/** Room for sums in the number of a cell; never changed, for cells are stored. */
export const PLACES = 64;

/** As many blocks as it takes until every document had its turn. */
export const LEDGER_BLOCKS = 64;

/** So many brands of a partition are measured, the first ones. */
export const BRANDS_MAX = 1000;
/** So many values of a dimension of a brand in a partition are told apart, the first ones; the rest together as `other`. */
export const VALUES_MAX: Readonly<Record<Dimension, number>> = {
  brand: 1,
  segment: 100,
  channel: 20,
  campaign: 200,
  stage: 5,
};

const NO_DAY = -1;

/** So many lists of segments of a brand are remembered with their documents. */
const LISTS_MAX = 10_000;

/** What a partition knows of one brand, segment, channel or campaign: sums by day, and how many customers are what. */
export interface BrandDocument {
  readonly key: string;
  /** Every block whose seq modulo LEDGER_BLOCKS is this holds all of the document. */
  readonly turn: number;
  /** By day · 64 + place in BRAND_SUMS; no cell is 0. */
  readonly cells: Map<number, number>;
  /** Of the cells, by place. */
  readonly sums: Float64Array;
  /** By place in BRAND_STANDINGS. */
  readonly standings: Float64Array;
  /** Cells that no block holds yet. */
  readonly changed: Set<number>;
  /** What is to be added to the cells of one day (settlePending), by place: nearly all of a block is of the same one. */
  readonly pending: Float64Array;
  pendingDay: number;
  isPending: boolean;
}

/** The documents that a customer in a list of segments counts in, and how often in each. */
interface Counted {
  readonly all: readonly BrandDocument[];
  readonly times: readonly number[];
}

/** Of one partition. */
export interface BrandDocuments {
  /** The latest instant that is in them. */
  clock: Instant;
  readonly byKey: Map<string, BrandDocument>;
  /** By brand, dimension and value. */
  readonly byName: Map<string, Map<string, Map<string, BrandDocument>>>;
  /** Those that differ from what a block holds, and from what was published. */
  readonly changed: Set<BrandDocument>;
  readonly unsent: Set<BrandDocument>;
  /** Those with something pending. */
  readonly pending: BrandDocument[];
  /** By brand: the documents that a customer in these segments counts in, as long as no document comes or goes. */
  readonly byList: Map<string, Map<SegmentList, Counted>>;
  /** No cell is of an earlier day. */
  oldestDay: number;
}

export function newDocuments(): BrandDocuments {
  return {
    clock: 0,
    byKey: new Map(),
    byName: new Map(),
    changed: new Set(),
    unsent: new Set(),
    pending: [],
    byList: new Map(),
    oldestDay: NEVER,
  };
}

/** Adds in place. Days that have left the window at the documents' clock count nothing. */
export function addChanges(documents: BrandDocuments, changes: BrandChanges): void {
  if (changes.now > documents.clock) documents.clock = changes.now;
  const oldest = utcDay(documents.clock) - WINDOW_DAYS;
  if (changes.sumCount > 0) addSums(documents, changes, oldest);
  for (let index = 0; index < changes.moveCount; index++) addMove(documents, changes, index, oldest);
  for (let index = 0; index < changes.count; index++) {
    const day = changes.day(index);
    if (day < oldest) continue;
    const document = documentOf(documents, changes.brandId, changes.dimension(index), changes.value(index));
    if (document === null) return;
    addPending(documents, document, day, changes.place(index), changes.by(index));
  }
}

/** The document is looked for once for everything that the customer brings along or takes away. */
function addMove(documents: BrandDocuments, changes: BrandChanges, index: number, oldest: number): void {
  const { brandId, moves, movedDimensions, movedValues, bitsBefore, bitsAfter } = changes;
  const document = documentOf(documents, brandId, movedDimensions[index] ?? 'brand', movedValues[index] ?? WHOLE);
  if (document === null) return;
  const move = moves[index] ?? STAYS;
  const before = move === COMES ? 0 : bitsBefore;
  const after = move === LEAVES ? 0 : bitsAfter;
  if (before !== after) {
    addStandings(document, before, after);
    documents.changed.add(document);
    documents.unsent.add(document);
  }
  if (move === STAYS) return;
  const { wholeDays, wholePlaces, wholeBy, wholeCount } = changes;
  for (let cell = 0; cell < wholeCount; cell++) {
    const day = wholeDays[cell] ?? 0;
    if (day >= oldest) addPending(documents, document, day, wholePlaces[cell] ?? 0, move * (wholeBy[cell] ?? 0));
  }
}

function addStandings({ standings }: BrandDocument, before: number, after: number): void {
  for (let place = 0; place < standings.length; place++) {
    standings[place] = (standings[place] ?? 0) + countAt(after, place) - countAt(before, place);
  }
}

function addSums(documents: BrandDocuments, changes: BrandChanges, oldest: number): void {
  const { sumDays, sumPlaces, sumBy, sumCount } = changes;
  const { all, times } = countedIn(documents, changes.brandId, changes.segments);
  for (let index = 0; index < sumCount; index++) {
    const day = sumDays[index] ?? 0;
    if (day < oldest) continue;
    const place = sumPlaces[index] ?? 0;
    const by = sumBy[index] ?? 0;
    for (let each = 0; each < all.length; each++) {
      const document = all[each];
      if (document !== undefined) addPending(documents, document, day, place, by * (times[each] ?? 1));
    }
  }
}

function addPending(documents: BrandDocuments, document: BrandDocument, day: number, place: number, by: number): void {
  if (document.pendingDay !== day) {
    settleDay(documents, document);
    document.pendingDay = day;
  }
  document.pending[place] = (document.pending[place] ?? 0) + by;
  if (document.isPending) return;
  document.isPending = true;
  documents.pending.push(document);
  documents.changed.add(document);
  documents.unsent.add(document);
}

/** Puts into the cells what is still beside them: before anybody looks at cells or their sums. */
export function settlePending(documents: BrandDocuments): void {
  for (const document of documents.pending) {
    settleDay(documents, document);
    document.isPending = false;
  }
  documents.pending.length = 0;
}

function settleDay(documents: BrandDocuments, document: BrandDocument): void {
  const { pending, pendingDay, cells, changed } = document;
  for (let place = 0; place < pending.length; place++) {
    const by = pending[place] ?? 0;
    if (by === 0) continue;
    pending[place] = 0;
    const cell = pendingDay * PLACES + place;
    setCell(documents, document, cell, (cells.get(cell) ?? 0) + by);
    changed.add(cell);
  }
}

/** Sets a cell, and the sum that it is part of. */
export function setCell(documents: BrandDocuments, { cells, sums }: BrandDocument, cell: number, value: number): void {
  const place = cell % PLACES;
  sums[place] = (sums[place] ?? 0) + value - (cells.get(cell) ?? 0);
  if (value === 0) {
    cells.delete(cell);
    return;
  }
  cells.set(cell, value);
  const day = Math.floor(cell / PLACES);
  if (day < documents.oldestDay) documents.oldestDay = day;
}

/** None of a brand that is not measured. */
function countedIn(documents: BrandDocuments, brandId: string, list: SegmentList): Counted {
  const { byList } = documents;
  const known = byList.get(brandId)?.get(list);
  if (known !== undefined) return known;
  const all: BrandDocument[] = [];
  const times: number[] = [];
  const whole = documentOf(documents, brandId, 'brand', WHOLE);
  if (whole === null) return { all, times };
  all.push(whole);
  times.push(1);
  for (const id of list.ids) {
    const document = documentOf(documents, brandId, 'segment', id);
    if (document === null) continue;
    // Segments beyond the bound share one, which need not be looked at for each of them.
    const at = all.indexOf(document);
    if (at >= 0) times[at] = (times[at] ?? 0) + 1;
    else times[all.push(document) - 1] = 1;
  }
  const counted = { all, times };
  const lists = byList.get(brandId) ?? new Map<SegmentList, Counted>();
  if (lists.size >= LISTS_MAX) lists.clear();
  lists.set(list, counted);
  byList.set(brandId, lists);
  return counted;
}

/** The document that a value is counted in; null for a brand that is not measured. */
function documentOf(
  documents: BrandDocuments,
  brandId: string,
  dimension: Dimension,
  value: string,
): BrandDocument | null {
  const brand = documents.byName.get(brandId);
  const values = brand?.get(dimension);
  const known = values?.get(value);
  if (known !== undefined) return known;
  if (brand === undefined && documents.byName.size >= BRANDS_MAX) return null;
  const hasRoom = (values?.size ?? 0) < VALUES_MAX[dimension];
  const own = hasRoom ? undefined : values?.get(OTHER);
  return own ?? keptDocument(documents, brandKey(brandId, dimension, hasRoom ? value : OTHER));
}

function newDocument(key: string): BrandDocument {
  return {
    key,
    // By its key, so that it stays the same whoever takes the partition over.
    turn: fingerprint(key) % LEDGER_BLOCKS,
    cells: new Map(),
    sums: new Float64Array(BRAND_SUMS.length),
    standings: new Float64Array(BRAND_STANDINGS.length),
    changed: new Set(),
    pending: new Float64Array(BRAND_SUMS.length),
    pendingDay: NO_DAY,
    isPending: false,
  };
}

/** The document of a key, made if there is none. */
export function keptDocument({ byKey, byName, byList }: BrandDocuments, key: string): BrandDocument {
  const known = byKey.get(key);
  if (known !== undefined) return known;
  const document = newDocument(key);
  byKey.set(key, document);
  byList.clear();
  const { brandId, dimension, value } = splitBrandKey(key);
  const brand = byName.get(brandId) ?? new Map<string, Map<string, BrandDocument>>();
  byName.set(brandId, brand);
  const values = brand.get(dimension) ?? new Map<string, BrandDocument>();
  brand.set(dimension, values);
  values.set(value, document);
  return document;
}
