import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { recordSchema } from '../../schemas/records.ts';
import { toJson } from '../../schemas/json.ts';
import type { CustomerTraits, RecordName } from '../../schemas/types.ts';
import { topicOf } from '../../topics/catalog.ts';
import { profileViewOf } from '../customer/profile-view.ts';
import type { Codec, OutgoingRecord } from '../runtime/ports.ts';
import { POSITION_HEADER } from '../runtime/position.ts';

const DEAD_LETTERS = 'dead-letters';
const PROFILES = 'profiles';
const SUMMARY = 'summary.json';
/** The topic whose records say what a profile is. */
export const TRAITS = 'customer-traits.v1';

/** Where what comes of a replay goes. */
export interface ReplaySink extends AsyncDisposable {
  add(record: OutgoingRecord): void;
  /** Adds what a segment rule sees of a customer at the end: an encoded record of `customer-traits.v1`. */
  profile(key: string, traits: Buffer): void;
  /** Passes on what has gathered; resolves when more can be taken. Called after each block. */
  write(): Promise<void>;
  /** Completes everything; the summary is the last. */
  close(summary: object): Promise<void>;
}

/** The files of one replay: a line for each record published, in order, the profiles, and a summary once all is well. */
export class ReplayOutput implements ReplaySink {
  readonly #folder: string;
  readonly #codec: Codec;
  readonly #files = new Map<string, { stream: WriteStream; lines: string[] }>();

  private constructor(folder: string, codec: Codec) {
    this.#folder = folder;
    this.#codec = codec;
  }

  /**
   * Creates the folder and an empty file for each topic, so that a topic without output is seen to have none. The summary of
   * an earlier replay goes: beside the files of one that fails it would vouch for them.
   */
  static async open(folder: string, topics: readonly string[], codec: Codec): Promise<ReplayOutput> {
    await mkdir(folder, { recursive: true });
    await rm(path.join(folder, SUMMARY), { force: true });
    const output = new ReplayOutput(folder, codec);
    for (const name of [...topics, DEAD_LETTERS, PROFILES]) output.#file(name);
    return output;
  }

  add(record: OutgoingRecord): void {
    const { schema } = topicOf(record.topic);
    const key = record.key === null ? null : record.key.toString();
    const position = String(record.headers[POSITION_HEADER]);
    const { timestamp } = record;
    if (schema === null) {
      const headers = Object.fromEntries(
        Object.entries(record.headers)
          .filter(([name]) => name !== POSITION_HEADER)
          .map(([name, header]) => [name, header.toString()]),
      );
      this.#line(DEAD_LETTERS, { key, value: record.value?.toString('base64') ?? null, timestamp, position, headers });
    } else {
      const decoded = record.value === null ? null : this.#decode(record.topic, record.value);
      // The catalog's names of schemas are those of the generated types: test/guard/schemas.
      const value = decoded === null || isJson(schema as RecordName) ? decoded : toJson(schema as RecordName, decoded);
      this.#line(record.topic, { key, value, timestamp, position });
    }
  }

  profile(key: string, traits: Buffer): void {
    // The catalog's schema of this topic: test/guard/topics.
    const decoded = this.#decode(TRAITS, traits) as CustomerTraits;
    this.#line(PROFILES, { key, profile: profileViewOf(decoded) });
  }

  async write(): Promise<void> {
    for (const { stream, lines } of this.#files.values()) {
      if (lines.length === 0) continue;
      const text = `${lines.join('\n')}\n`;
      lines.length = 0;
      if (!stream.write(text)) await once(stream, 'drain');
    }
  }

  async close(summary: object): Promise<void> {
    await this.write();
    for (const { stream } of this.#files.values()) stream.end();
    await Promise.all([...this.#files.values()].map(({ stream }) => finished(stream)));
    await writeFile(path.join(this.#folder, SUMMARY), `${JSON.stringify(summary, null, 2)}\n`);
  }

  /** Leaves the files as they are when something failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const streams = [...this.#files.values()].map(({ stream }) => stream.destroy());
    await Promise.allSettled(streams.map((stream) => finished(stream)));
  }

  #decode(topic: string, value: Buffer): object {
    const decoded = this.#codec.decode(topic, value);
    if (typeof decoded === 'string') throw new Error(`${topic}: a record of our own is ${decoded}`);
    return decoded;
  }

  #line(name: string, value: object): void {
    this.#file(name).lines.push(JSON.stringify(value));
  }

  #file(name: string): { stream: WriteStream; lines: string[] } {
    let file = this.#files.get(name);
    if (file === undefined) {
      file = { stream: createWriteStream(path.join(this.#folder, `${name}.ndjson`)), lines: [] };
      this.#files.set(name, file);
    }
    return file;
  }
}

const json = new Map<RecordName, boolean>();

/**
 * Whether a decoded record is its own plain JSON: the codec builds it with the fields in the order of the schema, nulls
 * included, and only bytes have another form.
 */
function isJson(record: RecordName): boolean {
  let known = json.get(record);
  if (known === undefined) json.set(record, (known = !/"(bytes|fixed)"/.test(JSON.stringify(recordSchema(record)))));
  return known;
}
