import { placeOfSum, splitBrandKey, WHOLE as WHOLE_BRAND } from '../core/brand-amounts.ts';
import { PipelineError } from '../core/errors.ts';
import type { ByteReader, ByteWriter } from '../core/packing.ts';
import { setTile, tilesOf } from './brand-columns.ts';
import { columnOf, keptDocument, LEDGER_BLOCKS, type BrandDocument, type BrandDocuments } from './brand-documents.ts';
import { PLACES } from './brand-places.ts';
import { GONE, hourOf, tileOf } from './brand-tiles.ts';
import { passTime, setClock } from './brand-window.ts';

const VERSION = 2;
/** The version that knew days alone, and no shorter window than a year. */
const DAYS_ALONE = 1;
// Of one document: all of it, else what changed; and it differs from what was published of it.
const WHOLE = 1;
const UNSENT = 2;

/** What changed since the last block, and everything of the documents whose turn it is. */
export function packDocuments(documents: BrandDocuments, seq: number, writer: ByteWriter): void {
  const { byKey, changed, clock } = documents;
  const whole: BrandDocument[] = [];
  for (const document of byKey.values()) if (document.turn === seq % LEDGER_BLOCKS) whole.push(document);
  for (const document of whole) changed.delete(document);
  if (whole.length + changed.size === 0) return;
  writer.byte(VERSION);
  writer.uint(clock);
  writer.uint(whole.length + changed.size);
  for (const document of whole) packDocument(documents, document, WHOLE, writer);
  for (const document of changed) packDocument(documents, document, 0, writer);
  changed.clear();
}

/** Applies what `packDocuments` wrote. */
export function unpackDocuments(documents: BrandDocuments, reader: ByteReader): void {
  const version = reader.byte();
  if (version !== VERSION && version !== DAYS_ALONE) {
    const message = `brand documents have version ${version}; this program reads version ${VERSION}`;
    throw new PipelineError('store_unreadable', message, { retriable: false });
  }
  setClock(documents, reader.uint());
  for (let left = reader.uint(); left > 0; left--) {
    const document = keptDocument(documents, reader.string());
    passTime(documents, document);
    const flags = reader.byte();
    if ((flags & WHOLE) !== 0) document.columns.fill(null);
    if (version === DAYS_ALONE) readDaysAlone(documents, document, reader);
    else readDocument(documents, document, reader);
    if ((flags & UNSENT) !== 0) documents.unsent.add(document);
    else documents.unsent.delete(document);
  }
}

function packDocument(documents: BrandDocuments, document: BrandDocument, flags: number, writer: ByteWriter): void {
  if (document.hour !== documents.hour) passTime(documents, document);
  const { columns, standings, changed } = document;
  writer.string(document.key);
  writer.byte(flags | (documents.unsent.has(document) ? UNSENT : 0));
  writer.uint(standings.length);
  for (const count of standings) writer.int(count);
  const cells = (flags & WHOLE) === 0 ? changed : cellsOf(document);
  cells.sort((a, b) => a - b);
  writer.uint(cells.length);
  let before = 0;
  for (const cell of cells) {
    writer.uint(cell - before);
    before = cell;
    writer.int(columns[cell % PLACES]?.cells[Math.floor(cell / PLACES)] ?? 0);
  }
  for (const cell of changed) {
    const column = columns[cell % PLACES];
    if (column !== null && column !== undefined) column.changed[Math.floor(cell / PLACES)] = 0;
  }
  changed.length = 0;
  document.isTouched = false;
}

/** Every cell with something in it, as tile · 64 + place. */
function cellsOf({ columns }: BrandDocument): number[] {
  const cells: number[] = [];
  for (const [place, column] of columns.entries()) {
    if (column !== null) for (const tile of tilesOf(column)) cells.push(tile * PLACES + place);
  }
  return cells;
}

function readDocument(documents: BrandDocuments, document: BrandDocument, reader: ByteReader): void {
  for (let place = 0, count = reader.uint(); place < count; place++) document.standings[place] = reader.int();
  let cell = 0;
  for (let cells = reader.uint(); cells > 0; cells--) {
    cell += reader.uint();
    set(documents, document, Math.floor(cell / PLACES), cell % PLACES, reader.int());
  }
}

function set(documents: BrandDocuments, document: BrandDocument, tile: number, place: number, value: number): void {
  setTile(columnOf(document, place), tile, value, documents.hour);
  const hour = hourOf(tile, documents.hour);
  if (value !== 0 && hour > documents.newestHour) documents.newestHour = hour;
}

const VISITS_AND_ANSWERS_FROM = placeOfSum('pageVisibleMs');

/**
 * Of a block that knew days alone there stays what belongs to the brand and moves with nobody. Customers are counted anew, each
 * when it is next evaluated (brand-part.ts), so nothing of them may be in the documents yet.
 */
function readDaysAlone(documents: BrandDocuments, document: BrandDocument, reader: ByteReader): void {
  const { dimension, value } = splitBrandKey(document.key);
  const isOfBrand = (place: number): boolean =>
    dimension === 'brand' ? value === WHOLE_BRAND && place >= VISITS_AND_ANSWERS_FROM : dimension !== 'segment';
  for (let left = reader.uint(); left > 0; left--) reader.int();
  let cell = 0;
  for (let cells = reader.uint(); cells > 0; cells--) {
    cell += reader.uint();
    const total = reader.int();
    const hour = Math.floor(cell / PLACES) * 24;
    if (isOfBrand(cell % PLACES) && tileOf(hour, documents.hour) !== GONE) {
      set(documents, document, tileOf(hour, documents.hour), cell % PLACES, total);
    }
  }
}
