import { ByteWriter } from '../core/packing.ts';
import type { Output } from '../core/processor.ts';
import { packOutput, packOutputHead, type BlockOutput } from './block.ts';
import type { Codec, DecodedValue } from './ports.ts';

const NO_BYTES = Buffer.alloc(0);

/**
 * The outputs of what is being folded. Each value is encoded once, right into the bytes that a journal block holds; what is
 * sent are views of them. One packing serves one draft after the other, because folding and packing never wait.
 */
export class OutputPacking {
  readonly #bytes = new ByteWriter(1 << 16);
  readonly #encoded: BlockOutput[] = [];
  /** Where the value of each encoded output begins and ends. */
  readonly #ranges: number[] = [];
  #topic = '';

  reset(): void {
    this.#bytes.reset();
    this.#encoded.length = 0;
    this.#ranges.length = 0;
    this.#topic = '';
  }

  /** Takes a processor's output; its value stands in the answer once `finish` was called. */
  encode({ topic, value, timestamp }: Output, key: Buffer, codec: Codec, origin: DecodedValue | null): BlockOutput {
    const bytes = this.#bytes;
    if (value === null) {
      const tombstone: BlockOutput = { topic, key, value, timestamp, headers: {} };
      this.add(tombstone);
      return tombstone;
    }
    const output: BlockOutput = { topic, key, value: NO_BYTES, timestamp, headers: {} };
    packOutputHead(bytes, output, this.#topic);
    this.#topic = topic;
    const begun = bytes.begin();
    codec.encodeInto(topic, value, bytes, origin);
    const length = bytes.length - begun;
    bytes.end(begun);
    this.#encoded.push(output);
    this.#ranges.push(bytes.length - length, bytes.length);
    // No headers.
    bytes.uint(0);
    return output;
  }

  /** Takes an output as it is: a dead letter; null: one that was suppressed. */
  add(output: BlockOutput | null): void {
    packOutput(this.#bytes, output, this.#topic);
    if (output !== null) this.#topic = output.topic;
  }

  /** How many bytes there are so far. */
  get length(): number {
    return this.#bytes.length;
  }

  /** The bytes of all outputs, to which the values of those that were encoded are views from now on. */
  finish(): Buffer {
    const packed = this.#bytes.copy();
    const ranges = this.#ranges;
    for (let index = 0; index < this.#encoded.length; index++) {
      const output = this.#encoded[index];
      if (output !== undefined) output.value = packed.subarray(ranges[2 * index], ranges[2 * index + 1]);
    }
    this.#encoded.length = 0;
    return packed;
  }
}
