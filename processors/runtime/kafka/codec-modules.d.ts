// Neither package brings types of its own.

declare module 'lz4js' {
  const lz4: {
    /** One LZ4 frame, of linked blocks. */
    compress(bytes: Uint8Array): Uint8Array;
    /** `length`: as many bytes as the frame holds; without it lz4js believes what the frame says. */
    decompress(frame: Uint8Array, length?: number): Uint8Array;
  };
  export = lz4;
}

declare module 'snappyjs' {
  const snappy: {
    /** One raw block; answers a Buffer for a Buffer. */
    compress(bytes: Buffer): Buffer;
    uncompress(block: Buffer): Buffer;
  };
  export = snappy;
}
