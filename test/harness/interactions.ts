import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { toJson } from '../../schemas/json.ts';
import type { Interaction } from '../../schemas/types.ts';
import type { OutgoingRecord } from '../../processors/runtime/ports.ts';
import type { PipelinePlace } from './pipeline-place.ts';

const INPUT = 'interactions.v1';
const PER_SEND = 2_000;

/** An interaction and the log's record around it. */
export interface LoggedInteraction {
  readonly key: string;
  readonly timestamp: number;
  readonly value: Interaction;
}

/** Produces to interactions.v1, in order. */
export async function produceInteractions(
  { codec, emitter }: Pick<PipelinePlace, 'codec' | 'emitter'>,
  interactions: Iterable<LoggedInteraction>,
): Promise<void> {
  let slice: OutgoingRecord[] = [];
  for (const { key, timestamp, value } of interactions) {
    slice.push({ topic: INPUT, key: Buffer.from(key), value: codec.encode(INPUT, value), timestamp, headers: {} });
    if (slice.length < PER_SEND) continue;
    await emitter.send(slice);
    slice = [];
  }
  await emitter.send(slice);
}

/** Writes the file that `kizuna replay` reads. */
export async function writeInteractions(file: string, interactions: Iterable<LoggedInteraction>): Promise<void> {
  const stream = createWriteStream(file);
  for (const { timestamp, value } of interactions) {
    if (!stream.write(`${JSON.stringify({ ...toJson('Interaction', value), timestamp })}\n`))
      await once(stream, 'drain');
  }
  stream.end();
  await finished(stream);
}
