// Neither package brings types of its own.

declare module 'lz4js' {
  const lz4: {
    /** One LZ4 frame, of linked blocks. */
    compress(bytes: Uint8Array): Uint8Array;
    decompress(frame: Uint8Array): Uint8Array;
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
