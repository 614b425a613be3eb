import type { Definitions } from '../../processors/core/definitions.ts';
import { ByteReader } from '../../processors/core/packing.ts';
import { OpenState } from '../../processors/customer/open-state.ts';
import { createCustomer } from '../../processors/customer/processor.ts';
import type { ProfileView } from '../../processors/customer/profile-view.ts';
import type { Sandbox } from './sandbox.ts';
import { connectMongodb } from './service-clients.ts';

/** A customer as MongoDB has it. */
export interface StoredCustomer {
  readonly key: string;
  /** As it is stored for queries. */
  readonly summary: {
    readonly at: Date;
    readonly churn: { readonly probability: number; readonly band: string } | null;
    readonly segments: readonly string[];
    readonly lastSeenAt: Date | null;
  };
  /** As of the instant asked for. */
  readonly profile: ProfileView;
  /** When the newest order was placed; −1: never. */
  readonly lastOrderAt: number;
  /** Changed traits are held back until a minute has passed since the last. */
  readonly holdsTraits: boolean;
}

/** Every document of the customer processor, in order of key, its packed state read as of `at`. */
export async function storedCustomers(
  place: Pick<Sandbox, 'mongodbUri' | 'database'>,
  definitions: Definitions,
  at: number,
): Promise<StoredCustomer[]> {
  const customer = createCustomer(definitions);
  const open = new OpenState();
  const client = await connectMongodb(place.mongodbUri);
  try {
    const documents = client
      .db(place.database)
      .collection<{ _id: string; state: Uint8Array; summary: StoredCustomer['summary'] }>('customer.v1.state', {
        readConcern: { level: 'majority' },
        promoteBuffers: true,
      });
    const stored: StoredCustomer[] = [];
    for await (const document of documents.find().sort({ _id: 1 })) {
      const bytes = Buffer.from(document.state);
      const state = customer.state.unpack(new ByteReader(bytes));
      open.open(state);
      stored.push({
        key: document._id,
        summary: document.summary,
        lastOrderAt: open.facts.lastAt,
        holdsTraits: state.mustPublishTraits,
        profile: customer.profileView(state, at),
      });
    }
    return stored;
  } finally {
    await client.close();
  }
}
