import { PipelineError } from '../core/errors.ts';
import type { ByteReader, ByteWriter } from '../core/packing.ts';
import {
  keptDocument,
  LEDGER_BLOCKS,
  setCell,
  settlePending,
  type BrandDocument,
  type BrandDocuments,
} from './brand-documents.ts';

const VERSION = 1;
// Of one document: all of it, else what changed; and it differs from what was published of it.
const WHOLE = 1;
const UNSENT = 2;

/** What changed since the last block, and everything of the documents whose turn it is. */
export function packDocuments(documents: BrandDocuments, seq: number, writer: ByteWriter): void {
  settlePending(documents);
  const { byKey, changed, unsent, clock } = documents;
  const whole: BrandDocument[] = [];
  for (const document of byKey.values()) if (document.turn === seq % LEDGER_BLOCKS) whole.push(document);
  for (const document of whole) changed.delete(document);
  if (whole.length + changed.size === 0) return;
  writer.byte(VERSION);
  writer.uint(clock);
  writer.uint(whole.length + changed.size);
  for (const document of whole) {
    packDocument(document, [...document.cells.keys()], WHOLE | (unsent.has(document) ? UNSENT : 0), writer);
  }
  for (const document of changed) {
    packDocument(document, [...document.changed], unsent.has(document) ? UNSENT : 0, writer);
  }
  changed.clear();
}

/** Applies what `packDocuments` wrote. */
export function unpackDocuments(documents: BrandDocuments, reader: ByteReader): void {
  const version = reader.byte();
  if (version !== VERSION) {
    const message = `brand documents have version ${version}; this program reads version ${VERSION}`;
    throw new PipelineError('store_unreadable', message, { retriable: false });
  }
  documents.clock = Math.max(documents.clock, reader.uint());
  for (let left = reader.uint(); left > 0; left--) {
    const document = keptDocument(documents, reader.string());
    const flags = reader.byte();
    if ((flags & WHOLE) !== 0) {
      document.cells.clear();
      document.sums.fill(0);
    }
    for (let place = 0, count = reader.uint(); place < count; place++) document.standings[place] = reader.int();
    let cell = 0;
    for (let cells = reader.uint(); cells > 0; cells--) {
      cell += reader.uint();
      setCell(documents, document, cell, reader.int());
    }
    if ((flags & UNSENT) !== 0) documents.unsent.add(document);
    else documents.unsent.delete(document);
  }
}

function packDocument(document: BrandDocument, cells: number[], flags: number, writer: ByteWriter): void {
  writer.string(document.key);
  writer.byte(flags);
  writer.uint(document.standings.length);
  for (const count of document.standings) writer.int(count);
  cells.sort((a, b) => a - b);
  writer.uint(cells.length);
  let before = 0;
  for (const cell of cells) {
    writer.uint(cell - before);
    before = cell;
    writer.int(document.cells.get(cell) ?? 0);
  }
  document.changed.clear();
}
