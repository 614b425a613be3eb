import type { Definitions } from '../../processors/core/definitions.ts';
import { ByteReader } from '../../processors/core/packing.ts';
import { rulesOf } from '../../processors/touchpoint/rules.ts';
import { scoresOutput } from '../../processors/touchpoint/scores.ts';
import { touchpointPacking } from '../../processors/touchpoint/state.ts';
import type { TouchpointScores } from '../../schemas/types.ts';
import { linesOf } from './published-lines.ts';
import type { Sandbox } from './sandbox.ts';
import { connectMongodb } from './service-clients.ts';

/** What a year's answers and complaints say of each key, in words that can be compared. */
export type YearOfScores = ReadonlyMap<string, string>;

/** From the documents of the touchpoint processor, as of `at`. */
export async function storedScores(
  place: Pick<Sandbox, 'mongodbUri' | 'database'>,
  definitions: Definitions,
  at: number,
): Promise<YearOfScores> {
  const client = await connectMongodb(place.mongodbUri);
  try {
    const documents = client.db(place.database).collection<{ _id: string; state: Uint8Array }>('touchpoint.v1.state', {
      readConcern: { level: 'majority' },
      promoteBuffers: true,
    });
    const stored = new Map<string, string>();
    for await (const { _id, state } of documents.find()) {
      const unpacked = touchpointPacking.unpack(new ByteReader(Buffer.from(state)));
      if (unpacked.kind !== 'scores') continue;
      stored.set(_id, yearOf(scoresOutput(unpacked, at, rulesOf(definitions)).value as TouchpointScores));
    }
    return stored;
  } finally {
    await client.close();
  }
}

/** From the last line that a replay wrote for each key. */
export async function replayedScores(file: string): Promise<YearOfScores> {
  const last = new Map<string, string>();
  for await (const line of linesOf(file)) {
    const { key, value } = JSON.parse(line) as { key: string; value: TouchpointScores };
    last.set(key, yearOf(value));
  }
  return last;
}

/**
 * The windows that hold everything, so that it does not matter when a touchpoint was last published: answers of many customers
 * meet there in another order than in a file, and with them the charts and the moments of publication.
 */
function yearOf({ scores, complaints }: TouchpointScores): string {
  return JSON.stringify([scores.map(({ metric, last365d }) => [metric, last365d]), complaints.last365d]);
}
