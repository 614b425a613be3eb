/**
 * What one batch may decompress to, and about what one answer to a fetch may: a few KiB can stand for GiB, which would end the
 * process. Many times what producers send: a batch is at most 1 MiB as it is sent, unless a topic is set otherwise.
 */
export const DECOMPRESSED_BYTES_MAX = 256 * 1024 * 1024;

export class BatchTooLarge extends RangeError {
  constructor(maxBytes: number, options?: ErrorOptions) {
    super(`it decompresses to more than ${maxBytes} bytes`, options);
  }
}
