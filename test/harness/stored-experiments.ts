import { ByteReader } from '../../processors/core/packing.ts';
import { experimentPacking } from '../../processors/experiment/state.ts';
import type { Sandbox } from './sandbox.ts';
import { connectMongodb } from './service-clients.ts';

/** `units 3 crossovers 1, ordered 3 2 2, …`: of each metric the units, the sum and the sum of squares. */
export type StoredSums = Readonly<Record<string, string>>;

/** Sums of each variant of each experiment, from its document, by key and variant. */
export async function storedSums({
  mongodbUri,
  database,
}: Pick<Sandbox, 'mongodbUri' | 'database'>): Promise<StoredSums> {
  const client = await connectMongodb(mongodbUri);
  try {
    const documents = client.db(database).collection<{ _id: string; state: Uint8Array }>('experiment.v1.state', {
      readConcern: { level: 'majority' },
      promoteBuffers: true,
    });
    const stored: Record<string, string> = {};
    for await (const { _id, state } of documents.find()) {
      const { variants } = experimentPacking.unpack(new ByteReader(Buffer.from(state)));
      for (const [variant, { units, crossovers, metrics }] of variants) {
        const sums = Array.from(metrics, ([id, { sums: of }]) => `, ${id} ${of.units} ${of.sum} ${of.squares}`).sort();
        stored[`${_id}|${variant}`] = `units ${units} crossovers ${crossovers}${sums.join('')}`;
      }
    }
    return stored;
  } finally {
    await client.close();
  }
}
