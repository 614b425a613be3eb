import { SILENT_LOG } from '../../processors/cli/silent-log.ts';
import { openServices } from '../../processors/runtime/open-services.ts';
import type { PipelinePlace } from './pipeline-place.ts';
import { RecordingMeter } from './runtime-fixture.ts';

/** What each hop reads. */
const HOPS = [
  { group: 'kizuna.intake.v1', topic: 'interactions.v1' },
  { group: 'kizuna.customer.v1', topic: 'customer-events.v1' },
] as const;

export interface LagWatch extends AsyncDisposable {
  /** Whether every partition of every hop has folded what was logged so long ago. Only for records with their real time. */
  isBelow(ms: number): Promise<boolean>;
}

export async function watchLag(place: PipelinePlace): Promise<LagWatch> {
  const services = await openServices(place.config, {
    ...{ topics: [], stores: [], clock: { now: Date.now }, logger: SILENT_LOG, meter: new RecordingMeter() },
  });
  return {
    isBelow: async (ms) => {
      const since = Date.now() - ms;
      for (const { group, topic } of HOPS) {
        const wanted = await services.log.offsetsAt(topic, since);
        const committed = await services.log.committed(group, topic);
        for (const { partition, offset } of wanted) {
          const done = committed.find((each) => each.partition === partition)?.offset ?? 0;
          if (done < offset) return false;
        }
      }
      return true;
    },
    [Symbol.asyncDispose]: () => services[Symbol.asyncDispose](),
  };
}
