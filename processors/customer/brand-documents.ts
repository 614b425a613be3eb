import type { Instant } from '../core/processor.ts';
import { fingerprint } from '../core/fingerprint.ts';
import { BRAND_STANDINGS, brandKey, OTHER, splitBrandKey, WHOLE, type Dimension } from '../core/brand-amounts.ts';
import { NOW, STAYS, type BrandChanges, type Move } from './brand-changes.ts';
import { newColumn, type Column } from './brand-columns.ts';
import { PLACES } from './brand-places.ts';
import { bandOf, GONE, tileOf } from './brand-tiles.ts';
import { passTime, setClock } from './brand-window.ts';
import type { SegmentList } from './segment-list.ts';

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

/** So many lists of segments of a brand are remembered with their documents. */
const LISTS_MAX = 10_000;
const ONCE = [1];

/** What a partition knows of one brand, segment, channel or campaign: sums by time, and how many customers are what. */
export interface BrandDocument {
  readonly key: string;
  /** Every block whose seq modulo LEDGER_BLOCKS is this holds all of the document. */
  readonly turn: number;
  /** By place (brand-places.ts); null: nothing was ever added to it. */
  readonly columns: (Column | null)[];
  /** The hour that the columns are of. */
  hour: number;
  /** By place in BRAND_STANDINGS: how many there are now. */
  readonly standings: Float64Array;
  /** What no block holds yet, as tile · 64 + place. */
  readonly changed: number[];
  /** It is among those that differ from what a block holds, and from what was published. */
  isTouched: boolean;
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
  /** The hour of the clock. */
  hour: number;
  readonly byKey: Map<string, BrandDocument>;
  /** By brand, dimension and value. */
  readonly byName: Map<string, Map<string, Map<string, BrandDocument>>>;
  /** Those that differ from what a block holds, and from what was published. */
  readonly changed: Set<BrandDocument>;
  readonly unsent: Set<BrandDocument>;
  /** By brand: the documents that a customer in these segments counts in, as long as no document comes or goes. */
  readonly byList: Map<string, Map<SegmentList, Counted>>;
  /** Nothing in them is of a later hour; −1: nothing ever was. */
  newestHour: number;
}

export function newDocuments(): BrandDocuments {
  return {
    clock: 0,
    hour: 0,
    byKey: new Map(),
    byName: new Map(),
    changed: new Set(),
    unsent: new Set(),
    byList: new Map(),
    newestHour: -1,
  };
}

/** Adds in place. What has left every window at the documents' clock counts nothing. */
export function addChanges(documents: BrandDocuments, changes: BrandChanges): void {
  setClock(documents, changes.now);
  if (changes.sumCount > 0 || changes.moveOfAll !== STAYS) addOfCustomer(documents, changes);
  for (let index = 0; index < changes.moveCount; index++) {
    const document = documentOf(documents, changes.brandId, 'segment', changes.movedSegments[index] ?? '');
    if (document !== null) addWhole(documents, [document], ONCE, changes.moves[index] ?? STAYS, changes);
  }
  for (let index = 0; index < changes.count; index++) {
    const tile = tileAt(documents, changes.hour(index));
    if (tile === GONE) continue;
    const document = documentOf(documents, changes.brandId, changes.dimension(index), changes.value(index));
    if (document === null) return;
    const band = bandOf(changes.hour(index), documents.hour);
    add(documents, document, tile, band, changes.place(index), changes.by(index));
  }
}

function addOfCustomer(documents: BrandDocuments, changes: BrandChanges): void {
  const { sumHours, sumPlaces, sumBy, sumCount, moveOfAll } = changes;
  const { all, times } = countedIn(documents, changes.brandId, changes.segments);
  if (moveOfAll !== STAYS) addWhole(documents, all, times, moveOfAll, changes);
  for (let index = 0; index < sumCount; index++) {
    addEverywhere(documents, all, times, sumHours[index] ?? NOW, sumPlaces[index] ?? 0, sumBy[index] ?? 0);
  }
}

/** Everything that the customer brings along or takes away. */
function addWhole(
  documents: BrandDocuments,
  all: readonly BrandDocument[],
  times: readonly number[],
  move: Move,
  { wholeHours, wholePlaces, wholeBy, wholeCount }: BrandChanges,
): void {
  for (let index = 0; index < wholeCount; index++) {
    const by = move * (wholeBy[index] ?? 0);
    addEverywhere(documents, all, times, wholeHours[index] ?? NOW, wholePlaces[index] ?? 0, by);
  }
}

function addEverywhere(
  documents: BrandDocuments,
  all: readonly BrandDocument[],
  times: readonly number[],
  hour: number,
  place: number,
  by: number,
): void {
  const tile = tileAt(documents, hour);
  if (tile === GONE) return;
  const band = bandOf(hour, documents.hour);
  for (let each = 0; each < all.length; each++) {
    const document = all[each];
    if (document !== undefined) add(documents, document, tile, band, place, by * (times[each] ?? 1));
  }
}

/** Stands for the tile of a standing, which has none. */
const NO_TILE = -2;

function tileAt(documents: BrandDocuments, hour: number): number {
  if (hour === NOW) return NO_TILE;
  const tile = tileOf(hour, documents.hour);
  if (tile !== GONE && hour > documents.newestHour) documents.newestHour = hour;
  return tile;
}

function add(
  documents: BrandDocuments,
  document: BrandDocument,
  tile: number,
  band: number,
  place: number,
  by: number,
): void {
  if (!document.isTouched) touch(documents, document);
  if (tile === NO_TILE) {
    document.standings[place] = (document.standings[place] ?? 0) + by;
    return;
  }
  if (document.hour !== documents.hour) passTime(documents, document);
  const { cells, changed } = columnOf(document, place);
  cells[tile] = (cells[tile] ?? 0) + by;
  cells[band] = (cells[band] ?? 0) + by;
  if (changed[tile] !== 0) return;
  changed[tile] = 1;
  document.changed.push(tile * PLACES + place);
}

export function columnOf({ columns }: BrandDocument, place: number): Column {
  return (columns[place] ??= newColumn());
}

function touch(documents: BrandDocuments, document: BrandDocument): void {
  document.isTouched = true;
  documents.changed.add(document);
  documents.unsent.add(document);
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

function newDocument(key: string, hour: number): BrandDocument {
  return {
    key,
    // By its key, so that it stays the same whoever takes the partition over.
    turn: fingerprint(key) % LEDGER_BLOCKS,
    columns: new Array<Column | null>(PLACES).fill(null),
    hour,
    standings: new Float64Array(BRAND_STANDINGS.length),
    changed: [],
    isTouched: false,
  };
}

/** The document of a key, made if there is none. */
export function keptDocument({ byKey, byName, byList, hour }: BrandDocuments, key: string): BrandDocument {
  const known = byKey.get(key);
  if (known !== undefined) return known;
  const document = newDocument(key, hour);
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
