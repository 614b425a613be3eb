import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fromJson } from '../../schemas/json.ts';
import type { Interaction } from '../../schemas/types.ts';

/** One line of a replay's file: an interaction with its record time, or the bytes of a line that is none, and why. */
export type ReplayLine =
  | { readonly interaction: Interaction; readonly timestamp: number }
  | { readonly bytes: Buffer; readonly fault: string; readonly timestamp: number };

/**
 * Reads one JSON interaction a line: absent fields are null, times ISO 8601 or epoch milliseconds, `timestamp` (default
 * `occurredAt`) the record's time. A line that is none gets the time of the line before it: it stands where it stands.
 */
export async function* readInteractions(file: string): AsyncGenerator<ReplayLine> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  let last = 0;
  for await (const line of lines) {
    if (line.trim() === '') continue;
    const parsed = parseLine(line, last);
    last = parsed.timestamp;
    yield parsed;
  }
}

function parseLine(line: string, last: number): ReplayLine {
  const refuse = (fault: string): ReplayLine => ({ bytes: Buffer.from(line), fault, timestamp: last });
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return refuse('is not JSON');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return refuse('is not a JSON object');
  const { timestamp, ...fields } = json as Record<string, unknown>;
  const read = fromJson('Interaction', fields);
  if ('fault' in read) return refuse(read.fault);
  const time = timestamp === undefined ? read.value.occurredAt : recordTime(timestamp);
  if (time === null) return refuse('timestamp: must be ISO 8601 or epoch milliseconds');
  return { interaction: read.value, timestamp: time };
}

function recordTime(timestamp: unknown): number | null {
  const time = typeof timestamp === 'string' ? Date.parse(timestamp) : timestamp;
  return typeof time === 'number' && Number.isSafeInteger(time) && time >= 0 ? time : null;
}
