import { SILENT_LOG } from '../../processors/cli/silent-log.ts';
import type { Instant } from '../../processors/core/processor.ts';
import { openServices } from '../../processors/runtime/open-services.ts';
import type { SegmentMembershipsChanged } from '../../schemas/types.ts';
import { TOPICS } from '../../topics/catalog.ts';
import type { ProvisionedPlace } from '../harness/provisioned-place.ts';
import { RecordingMeter } from '../harness/runtime-fixture.ts';

const OUTPUT = 'segment-memberships.v1';

/** Gives every membership record to `onRecord`, with the time of this process at which its batch arrived, until it is disposed. */
export async function watchMemberships(
  place: ProvisionedPlace,
  onRecord: (change: SegmentMembershipsChanged, arrivedAt: Instant) => void,
): Promise<AsyncDisposable> {
  const wiring = {
    topics: TOPICS,
    stores: [],
    clock: { now: Date.now },
    logger: SILENT_LOG,
    meter: new RecordingMeter(),
  };
  const services = await openServices(place.config, wiring);
  await services.log.join('bench.watch', [OUTPUT], {
    assigned: () => undefined,
    revoked: () => undefined,
    unreadable: (_at, why) => {
      throw why;
    },
    crashed: (error) => {
      throw error;
    },
    onBatch: async (batch, heartbeat) => {
      const arrivedAt = Date.now();
      const values = batch.records.map(({ value }) => value);
      await services.codec.learn(OUTPUT, values);
      for (const value of values) {
        const record = value === null ? null : services.codec.decode(OUTPUT, value);
        if (record === null || typeof record === 'string') continue;
        // The topic's schema says so.
        onRecord(record as SegmentMembershipsChanged, arrivedAt);
      }
      await heartbeat();
      return 'done';
    },
  });
  return services;
}

/** The value below which the share `q` of all lies; NaN of none. */
export function quantileOf(values: Iterable<number>, q: number): number {
  const sorted = Float64Array.from(values).toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}
