import { isUtf8 } from 'node:buffer';
import { open, type FileHandle } from 'node:fs/promises';
import { fromJson } from '../../schemas/json.ts';
import type { Interaction } from '../../schemas/types.ts';
import { CommandFailed } from './failure.ts';

/**
 * One line of a replay's file: an interaction with its record time, or the bytes of a line that is none, and why. `number`
 * counts every line of the file from 1, blank ones too.
 */
export type ReplayLine = { readonly number: number; readonly timestamp: number } & (
  { readonly interaction: Interaction } | { readonly bytes: Buffer; readonly fault: string }
);

const CHUNK_BYTES = 1 << 18;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Opens a file of interactions, before anything is written for it.
 *
 * @throws the system's own error for a file that cannot be opened, CommandFailed for a folder
 */
export async function openInput(file: string): Promise<FileHandle> {
  const input = await open(file);
  if (!(await input.stat()).isDirectory()) return input;
  await input.close();
  throw new CommandFailed(`${file} is a folder: a file with one interaction a line is wanted`);
}

/**
 * Reads one JSON interaction a line: absent fields are null, times ISO 8601 or epoch milliseconds, `timestamp` (default
 * `occurredAt`) the record's time. A line that is none gets the time of the line before it: it stands where it stands. The
 * lines come many at once; the file is closed at the end.
 */
export async function* readInteractions(input: FileHandle): AsyncGenerator<ReplayLine[]> {
  // Lines end with LF alone: a string of JSON may hold U+2028, at which a reader of text would end them too.
  let begun: Buffer[] = [];
  let number = 0;
  let last = 0;
  const next = (): ReplayLine | null => {
    const bytes = wholeLine(begun);
    begun = [];
    number += 1;
    const line = parseLine(bytes, number, last);
    last = line?.timestamp ?? last;
    return line;
  };
  // Without an encoding a file's stream gives Buffers.
  const chunks = input.createReadStream({ highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>;
  for await (const chunk of chunks) {
    const lines: ReplayLine[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      begun.push(chunk.subarray(from, end));
      from = end + 1;
      const line = next();
      if (line !== null) lines.push(line);
    }
    if (from < chunk.length) begun.push(chunk.subarray(from));
    yield lines;
  }
  const line = next();
  if (line !== null) yield [line];
}

/** A line's bytes without its end. */
function wholeLine(parts: readonly Buffer[]): Buffer {
  const bytes = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  return bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
}

/** Null for a blank line. */
function parseLine(bytes: Buffer, number: number, last: number): ReplayLine | null {
  const refuse = (fault: string): ReplayLine => ({ bytes, fault, number, timestamp: last });
  if (!isUtf8(bytes)) return refuse('is not JSON: not UTF-8');
  const text = bytes.toString();
  if (text.trim() === '') return null;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return refuse('is not JSON');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return refuse('is not a JSON object');
  const { timestamp, ...fields } = json as Record<string, unknown>;
  const read = fromJson('Interaction', fields);
  if ('fault' in read) return refuse(read.fault);
  const time = timestamp === undefined ? read.value.occurredAt : recordTime(timestamp);
  if (time === null) return refuse('timestamp: must be ISO 8601 or epoch milliseconds');
  return { interaction: read.value, number, timestamp: time };
}

function recordTime(timestamp: unknown): number | null {
  const time = typeof timestamp === 'string' ? Date.parse(timestamp) : timestamp;
  return typeof time === 'number' && Number.isSafeInteger(time) && time >= 0 ? time : null;
}
