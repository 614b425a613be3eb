import type { ExperimentContribution, ExperimentValue } from '../../schemas/types.ts';
import { ByteReader, ByteWriter } from '../core/packing.ts';

/**
 * What experiments were last told of a customer, by experiment. It belongs to the document and not to the person, as the
 * segments do: it stays when the customer turns out to be another one as well, so that it can be taken back.
 */
export type ToldUnits = Map<string, ExperimentContribution>;

export const NOTHING_TOLD: Buffer = Buffer.alloc(0);

const CROSSOVER = 1;
const HELD_OUT = 2;

const reader = new ByteReader(NOTHING_TOLD);
const writer = new ByteWriter(256);

export function readTold(packed: Buffer): ToldUnits {
  const told: ToldUnits = new Map();
  reader.reset(packed);
  while (!reader.done) {
    const experimentId = reader.string();
    const variant = reader.string();
    const flags = reader.byte();
    const values: ExperimentValue[] = [];
    for (let left = reader.uint(); left > 0; left--) values.push({ metric: reader.string(), value: reader.int() });
    const [crossover, heldOut] = [(flags & CROSSOVER) !== 0, (flags & HELD_OUT) !== 0];
    told.set(experimentId, { variant, crossover, heldOut, values });
  }
  return told;
}

export function packTold(told: ToldUnits): Buffer {
  if (told.size === 0) return NOTHING_TOLD;
  writer.reset();
  for (const [experimentId, { variant, crossover, heldOut, values }] of told) {
    writer.string(experimentId);
    writer.string(variant);
    writer.byte((crossover ? CROSSOVER : 0) | (heldOut ? HELD_OUT : 0));
    writer.uint(values.length);
    for (const { metric, value } of values) {
      writer.string(metric);
      writer.int(value);
    }
  }
  return writer.copy();
}
