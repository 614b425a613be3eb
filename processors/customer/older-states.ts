import { ByteReader, ByteWriter } from '../core/packing.ts';
import { NEVER } from '../core/processor.ts';
import { readTiles } from '../core/tiles-packing.ts';
import { BRAND_PART } from './brand-part.ts';
import { MEASURES } from './features.ts';
import { writeDue } from './part-due.ts';
import { newTally } from './tally.ts';
import { writeTally } from './tally-packing.ts';

/** States of versions 1 and 2, packed as version 3 packs them: shorter deadlines, one number for a ring without older tiles. */

const reader = new ByteReader(Buffer.alloc(0));
const writer = new ByteWriter(4096);
const section = new ByteWriter(4096);

export function upgradedBody(body: Buffer): Buffer {
  if (body.length === 0) return body;
  reader.reset(body);
  writer.reset();
  let present = reader.uint();
  writer.uint(present);
  for (let measure = 0; measure < MEASURES.length; measure++, present >>>= 1) {
    if ((present & 1) === 0) continue;
    const length = reader.uint();
    const end = reader.position + length;
    const tally = newTally();
    tally.present = tally.opened = tally.changed = true;
    const due = reader.uint();
    tally.due = due === 0 ? NEVER : due;
    tally.lifetime = reader.int();
    tally.lastAt = reader.uint();
    for (const tiles of tally.rings) readTiles(tiles, tally.lastAt, body, reader);
    writeTally(tally, body, writer, section);
    reader.reset(body, end);
  }
  writer.raw(body, reader.position, body.length);
  return writer.copy();
}

export function upgradedParts(parts: Buffer): Buffer {
  reader.reset(parts);
  writer.reset();
  while (!reader.done) {
    const id = reader.byte();
    const due = reader.uint();
    const length = reader.uint();
    const end = reader.position + length;
    section.reset();
    if (id === BRAND_PART.id) {
      section.uint(reader.uint());
      // Its deadline was written twice.
      reader.uint();
    }
    section.raw(parts, reader.position, end);
    writer.byte(id);
    writeDue(due === 0 ? NEVER : due, writer);
    writer.section(section);
    reader.reset(parts, end);
  }
  return writer.copy();
}
