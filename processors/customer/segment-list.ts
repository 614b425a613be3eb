import { ByteReader, ByteWriter } from '../core/packing.ts';
import { PackedValue } from '../core/processor.ts';

/** The segments a customer is in, with their packed form: written with every state, changed seldom. */
export interface SegmentList {
  /** By id. */
  readonly ids: readonly string[];
  readonly packed: Buffer;
  /** Places of these segments among those of `placedIn`, left there by whoever looked them up last. */
  places: readonly number[];
  placedIn: object | null;
  /** A hash of `places` (member-lists.ts). */
  low: number;
  high: number;
  /** `packedIds` of it, once asked for. */
  avro: PackedValue | null;
}

export const NO_SEGMENTS: SegmentList = newList([], Buffer.alloc(0));

// Many customers are in the same segments: those that were read share one list, so that its texts are decoded and hashed once.
const shared = new Map<string, SegmentList>();
const SHARED_MAX = 10_000;

const listReader = new ByteReader(Buffer.alloc(0));
const listWriter = new ByteWriter(1024);

/** `ids` by id. */
export function segmentList(ids: readonly string[]): SegmentList {
  listWriter.reset();
  for (const id of ids) listWriter.string(id);
  return newList(ids, listWriter.copy());
}

export function readSegmentList(reader: ByteReader): SegmentList {
  const bytes = reader.bytes();
  if (bytes.length === 0) return NO_SEGMENTS;
  const name = bytes.toString('latin1');
  const known = shared.get(name);
  if (known !== undefined) return known;
  const ids: string[] = [];
  listReader.reset(bytes);
  while (!listReader.done) ids.push(listReader.string());
  const list = newList(ids, Buffer.from(bytes));
  if (shared.size >= SHARED_MAX) shared.clear();
  shared.set(name, list);
  return list;
}

/** The ids as an Avro array of strings. */
export function packedIds(list: SegmentList): PackedValue {
  if (list.avro === null) {
    listWriter.reset();
    if (list.ids.length > 0) listWriter.int(list.ids.length);
    for (const id of list.ids) listWriter.avroString(id);
    listWriter.byte(0);
    list.avro = new PackedValue(listWriter.copy());
  }
  return list.avro;
}

function newList(ids: readonly string[], packed: Buffer): SegmentList {
  return { ids, packed, places: [], placedIn: null, low: 0, high: 0, avro: null };
}
