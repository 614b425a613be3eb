import { BRAND_SUMS, BRAND_WINDOWS, BRAND_AMOUNTS, splitBrandKey, STANDINGS_OF_NOW } from '../core/brand-amounts.ts';
import { PipelineError } from '../core/errors.ts';
import type { ByteReader, ByteWriter } from '../core/packing.ts';
import { NEVER, type Instant, type Packing, type Summary } from '../core/processor.ts';
import { newAmounts, type Amounts } from './measures.ts';

/** By window, shortest first. */
export type WindowAmounts = readonly Amounts[];

/** What is kept of a brand, or of one of its segments, channels or campaigns. */
export interface BrandState {
  readonly key: string;
  readonly brandId: string;
  readonly dimension: string;
  readonly value: string;
  /** The document's clock. */
  at: Instant;
  /** By partition of customers: the newest that it said. As many as there are partitions. */
  readonly partials: Map<number, WindowAmounts>;
  /** When figures were last published; −1: never. */
  publishedAt: Instant;
  /** Something changed less than the interval after they were published. */
  mustPublish: boolean;
  /** What they were published of, and under which definitions (BrandRules.version). */
  published: WindowAmounts;
  publishedUnder: number;
}

const VERSION = 2;
/** The version that knew no window but the longest. */
const YEAR_ALONE = 1;
export const LONGEST = BRAND_WINDOWS.length - 1;
const PLACES_OF_NOW = STANDINGS_OF_NOW.map((name) => BRAND_AMOUNTS.indexOf(name));

export function initialState(key: string): BrandState {
  return {
    key,
    ...splitBrandKey(key),
    at: 0,
    partials: new Map(),
    publishedAt: -1,
    mustPublish: false,
    published: newWindows(),
    publishedUnder: 0,
  };
}

export function newWindows(): Amounts[] {
  return BRAND_WINDOWS.map(() => newAmounts());
}

export function amountsIn(all: WindowAmounts, window: number): Amounts {
  const amounts = all[window];
  if (amounts === undefined) throw new RangeError(`no window ${window}`);
  return amounts;
}

/** What the partitions say together. */
export function totalOf({ partials }: BrandState): WindowAmounts {
  const total = newWindows();
  for (const all of partials.values()) {
    for (const [window, sums] of total.entries()) {
      const amounts = amountsIn(all, window);
      for (let place = 0; place < sums.length; place++) sums[place] = (sums[place] ?? 0) + (amounts[place] ?? 0);
    }
  }
  const longest = amountsIn(total, LONGEST);
  for (const sums of total) for (const place of PLACES_OF_NOW) sums[place] = longest[place] ?? 0;
  return total;
}

export const brandPacking: Packing<BrandState> & { summarize(reader: ByteReader): Summary } = {
  pack(state, writer) {
    writer.byte(VERSION);
    writer.string(state.key);
    writer.uint(state.at);
    writer.uint(state.publishedAt + 1);
    writer.byte(state.mustPublish ? 1 : 0);
    writer.uint(state.publishedUnder);
    packWindows(state.published, writer);
    writer.uint(state.partials.size);
    for (const [partition, amounts] of state.partials) {
      writer.uint(partition);
      packWindows(amounts, writer);
    }
  },

  /** @throws PipelineError `store_unreadable` for a version that is not known */
  unpack(reader) {
    const version = readVersion(reader);
    const state = initialState(reader.string());
    state.at = reader.uint();
    state.publishedAt = reader.uint() - 1;
    state.mustPublish = reader.byte() === 1;
    state.publishedUnder = reader.uint();
    state.published = unpackWindows(version, reader);
    for (let left = reader.uint(); left > 0; left--) state.partials.set(reader.uint(), unpackWindows(version, reader));
    return state;
  },

  /** Reads the front of the packed bytes. */
  summarize(reader) {
    readVersion(reader);
    const { brandId, dimension, value } = splitBrandKey(reader.string());
    return { at: new Date(reader.uint()), brandId, dimension, value };
  },
};

/** By the interval, when something is held back. */
export function dueOf({ mustPublish, publishedAt }: BrandState, intervalMs: number): Instant {
  return mustPublish ? publishedAt + intervalMs : NEVER;
}

/** The longest first, which an older state has alone. */
function packWindows(all: WindowAmounts, writer: ByteWriter): void {
  for (let window = LONGEST; window >= 0; window--) packAmounts(amountsIn(all, window), writer);
}

function unpackWindows(version: number, reader: ByteReader): WindowAmounts {
  const all = newWindows();
  for (let window = LONGEST; window >= 0; window--) {
    if (version !== YEAR_ALONE || window === LONGEST) all[window] = unpackAmounts(reader);
  }
  return all;
}

/** Sums, then standings: names are added at the end of either, and of an older state these are 0. */
function packAmounts(amounts: Amounts, writer: ByteWriter): void {
  packList(amounts.subarray(0, BRAND_SUMS.length), writer);
  packList(amounts.subarray(BRAND_SUMS.length), writer);
}

function unpackAmounts(reader: ByteReader): Amounts {
  const amounts = newAmounts();
  unpackList(amounts.subarray(0, BRAND_SUMS.length), reader);
  unpackList(amounts.subarray(BRAND_SUMS.length), reader);
  return amounts;
}

/** As far as anything stands in it. */
function packList(list: Float64Array, writer: ByteWriter): void {
  const length = list.findLastIndex((each) => each !== 0) + 1;
  writer.uint(length);
  for (let place = 0; place < length; place++) writer.int(list[place] ?? 0);
}

function unpackList(list: Float64Array, reader: ByteReader): void {
  const length = reader.uint();
  for (let place = 0; place < length; place++) {
    const value = reader.int();
    if (place < list.length) list[place] = value;
  }
}

function readVersion(reader: ByteReader): number {
  const version = reader.byte();
  if (version === VERSION || version === YEAR_ALONE) return version;
  const message = `a brand's state has version ${version}; this program reads versions ${YEAR_ALONE} and ${VERSION}`;
  throw new PipelineError('store_unreadable', message, { retriable: false });
}
