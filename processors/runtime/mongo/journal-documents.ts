import { Binary } from 'mongodb';
import type { Block, BlockHeader, BlockLedger, Position } from '../ports.ts';
import type { RecordMark } from '../input-marks.ts';
import { FIRST_EPOCH } from '../position.ts';
import { recordMarkFrom } from './input-marks.ts';
import { unreadable } from './mongo-errors.ts';

/** A block as it is stored. Buffers are stored as Binary and read back as Binary. */
export interface BlockDocument {
  /** "<topic>/<partition>/<slot>". */
  _id: string;
  seq: number;
  nonce: string;
  /** Absent in blocks written before there were epochs: they are of the first. */
  epoch: number;
  next: number;
  flushedTo: number;
  emittedTo: number;
  /** Absent in blocks written before it was remembered. */
  last: RecordMark | null;
  sources: Record<string, Position>;
  totals: Uint8Array | Binary;
  /** Absent in blocks of a processor without a ledger, and in those written before there were any. */
  ledger?: Uint8Array | Binary;
  states: Uint8Array | Binary;
  outputs: Uint8Array | Binary;
}

const NO_BYTES = Buffer.alloc(0);

type Stored = Partial<Record<keyof BlockDocument, unknown>>;

export function toDocument(slotId: string, block: Block): BlockDocument {
  const { seq, nonce, epoch, next, flushedTo, emittedTo, last, totals, ledger, states, outputs } = block;
  const sources = Object.fromEntries(block.sources);
  const header = { seq, nonce, epoch, next, flushedTo, emittedTo, last };
  const document = { _id: slotId, ...header, sources, totals, states, outputs };
  return ledger.length === 0 ? document : { ...document, ledger };
}

export function headerFrom(document: Stored, collection: string): BlockHeader {
  const whole = (field: 'seq' | 'epoch' | 'next' | 'flushedTo' | 'emittedTo'): number => {
    const value = document[field];
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw unreadable(collection, field);
    return value;
  };
  if (typeof document.nonce !== 'string') throw unreadable(collection, 'nonce');
  return {
    seq: whole('seq'),
    nonce: document.nonce,
    epoch: document.epoch === undefined ? FIRST_EPOCH : whole('epoch'),
    next: whole('next'),
    flushedTo: whole('flushedTo'),
    emittedTo: whole('emittedTo'),
    last: recordMarkFrom(document.last, collection),
  };
}

export function blockFrom(document: Stored, collection: string): Block {
  const bytes = (field: 'totals' | 'states' | 'outputs'): Buffer => {
    const copied = copyOfBytes(document[field]);
    if (copied === null) throw unreadable(collection, field);
    return copied;
  };
  return {
    ...headerFrom(document, collection),
    sources: sourcesFrom(document.sources, collection),
    totals: bytes('totals'),
    ledger: ledgerFrom(document, collection).ledger,
    states: bytes('states'),
    outputs: bytes('outputs'),
  };
}

export function ledgerFrom({ seq, ledger }: Stored, collection: string): BlockLedger {
  if (typeof seq !== 'number') throw unreadable(collection, 'seq');
  const copied = ledger === undefined ? NO_BYTES : copyOfBytes(ledger);
  if (copied === null) throw unreadable(collection, 'ledger');
  return { seq, ledger: copied };
}

/**
 * The bytes of a stored Binary; null when it is none. A copy: the driver's is a view into the whole reply, which a cached
 * state would keep alive, and what `.buffer` shows may be longer than the value.
 */
export function copyOfBytes(value: unknown): Buffer | null {
  if (!(value instanceof Binary)) return null;
  return Buffer.from(value.buffer.subarray(0, value.position));
}

function sourcesFrom(value: unknown, collection: string): Map<string, Position> {
  if (typeof value !== 'object' || value === null) throw unreadable(collection, 'sources');
  const sources = new Map<string, Position>();
  for (const [source, position] of Object.entries(value)) {
    if (!isPosition(position)) throw unreadable(collection, 'sources');
    sources.set(source, { n: position.n, index: position.index });
  }
  return sources;
}

function isPosition(value: unknown): value is Position {
  if (typeof value !== 'object' || value === null || !('n' in value) || !('index' in value)) return false;
  return typeof value.n === 'number' && typeof value.index === 'number';
}
