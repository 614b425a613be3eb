import { ByteReader, ByteWriter } from '../core/packing.ts';
import { NEVER, type Instant, type Packing } from '../core/processor.ts';
import { POSITION_HEADER } from './position.ts';

/**
 * The two binaries of a journal block: the states a batch changed and the outputs it published. A suppressed output keeps
 * its place (a null), so that an output's index in the list is the index of its position.
 */

export interface PackedState {
  readonly key: string;
  readonly due: Instant;
  /** A view into the block's bytes. */
  readonly state: Buffer;
}

/** An output of a block. Its `position` header is not packed: it follows from the block's seq and its place. */
export interface BlockOutput {
  readonly topic: string;
  readonly key: Buffer | null;
  value: Buffer | null;
  readonly timestamp: Instant;
  readonly headers: Record<string, Buffer | string>;
}

/** Collects the states of one block; reused from block to block. */
export class StatesWriter {
  readonly #block = new ByteWriter(1 << 16);
  readonly #ranges: number[] = [];

  reset(): void {
    this.#block.reset();
    this.#ranges.length = 0;
  }

  add<State>(key: string, due: Instant, packing: Pick<Packing<State>, 'pack'>, state: State): void {
    const block = this.#block;
    block.string(key);
    // 0 stands for never; real deadlines are milliseconds after 1970.
    block.uint(due === NEVER ? 0 : due + 1);
    const begun = block.begin();
    packing.pack(state, block);
    const length = block.length - begun;
    block.end(begun);
    this.#ranges.push(block.length - length, block.length);
  }

  /** The block's bytes, and for each state added, in order, a view of its packed form in them. */
  finish(): { states: Buffer; views: Buffer[] } {
    const states = this.#block.copy();
    const ranges = this.#ranges;
    const views: Buffer[] = [];
    for (let at = 0; at < ranges.length; at += 2) views.push(states.subarray(ranges[at], ranges[at + 1]));
    return { states, views };
  }
}

export function* unpackStates(states: Buffer): Generator<PackedState> {
  const reader = new ByteReader(states);
  while (!reader.done) {
    const key = reader.string();
    const due = reader.uint();
    yield { key, due: due === 0 ? NEVER : due - 1, state: reader.bytes() };
  }
}

const SUPPRESSED = 0;
const HAS_KEY = 1;
const HAS_VALUE = 2;
const PRESENT = 4;

/** One output as a block holds it, behind one of `previousTopic`. */
export function packOutput(writer: ByteWriter, output: BlockOutput | null, previousTopic: string): void {
  if (output === null) {
    writer.byte(SUPPRESSED);
    return;
  }
  packOutputHead(writer, output, previousTopic);
  if (output.value !== null) writer.bytes(output.value);
  const headers = Object.entries(output.headers).filter(([name]) => name !== POSITION_HEADER);
  writer.uint(headers.length);
  for (const [name, value] of headers) {
    writer.string(name);
    writer.bytes(typeof value === 'string' ? Buffer.from(value) : value);
  }
}

/** What stands before the value. */
export function packOutputHead(writer: ByteWriter, output: BlockOutput, previousTopic: string): void {
  writer.byte(PRESENT | (output.key === null ? 0 : HAS_KEY) | (output.value === null ? 0 : HAS_VALUE));
  // An empty name repeats the topic before it.
  writer.string(output.topic === previousTopic ? '' : output.topic);
  writer.uint(output.timestamp);
  if (output.key !== null) writer.bytes(output.key);
}

export function unpackOutputs(outputs: Buffer): (BlockOutput | null)[] {
  const reader = new ByteReader(outputs);
  const unpacked: (BlockOutput | null)[] = [];
  let topic = '';
  while (!reader.done) {
    const flags = reader.byte();
    if (flags === SUPPRESSED) {
      unpacked.push(null);
      continue;
    }
    topic = reader.string() || topic;
    const timestamp = reader.uint();
    const key = (flags & HAS_KEY) === 0 ? null : reader.bytes();
    const value = (flags & HAS_VALUE) === 0 ? null : reader.bytes();
    const headers: Record<string, Buffer> = {};
    for (let left = reader.uint(); left > 0; left--) headers[reader.string()] = reader.bytes();
    unpacked.push({ topic, key, value, timestamp, headers });
  }
  return unpacked;
}
