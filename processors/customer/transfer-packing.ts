import { PipelineError } from '../core/errors.ts';
import { ByteReader, ByteWriter } from '../core/packing.ts';
import type { Packed } from './open-state.ts';

/** Raised when what a body or a part looks like changes, as the version of a state is (state.ts). */
const TRANSFER_VERSION = 1;

/** What a transfer carries. */
export function packTransfer({ body, parts }: Packed): Buffer {
  const writer = new ByteWriter(body.length + parts.length + 16);
  writer.byte(TRANSFER_VERSION);
  writer.bytes(body);
  writer.bytes(parts);
  return writer.copy();
}

/** @throws PipelineError `store_unreadable` for a version that is not known */
export function unpackTransfer(packed: Buffer): Packed {
  const reader = new ByteReader(packed);
  const version = reader.byte();
  if (version !== TRANSFER_VERSION) {
    const message = `a transfer has version ${version}; this program reads version ${TRANSFER_VERSION}`;
    throw new PipelineError('store_unreadable', message, { retriable: false });
  }
  return { body: Buffer.from(reader.bytes()), parts: Buffer.from(reader.bytes()) };
}
