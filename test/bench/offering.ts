import { setTimeout as wait } from 'node:timers/promises';
import { subjectKey } from '../../processors/core/identity.ts';
import type { Instant } from '../../processors/core/processor.ts';
import type { OutgoingRecord } from '../../processors/runtime/ports.ts';
import type { Interaction } from '../../schemas/types.ts';
import type { ProvisionedPlace } from '../harness/provisioned-place.ts';
import { interleavedSessions } from './events.ts';

const INPUT = 'interactions.v1';

export interface Offer {
  readonly perSecond: number;
  readonly seconds: number;
  /** How many customers the events are of. */
  readonly customers: number;
  /** When the first is to be sent, by the machine's clock. */
  readonly from: Instant;
  /** What time it is for the pipeline, when that is not the machine's. */
  readonly shiftMs?: number;
  /** Ends it early. */
  readonly stop?: AbortSignal;
  /** What else to do to each record. */
  readonly alter?: (record: OutgoingRecord, index: number) => OutgoingRecord;
}

/**
 * Sends each event at its time, whatever became of those before (an open loop). A record's timestamp is when it was to be
 * sent, so that a generator that is held up adds to the latency. Answers how late it was at most.
 */
export async function offerEvents(offer: Offer, { codec, emitter }: ProvisionedPlace): Promise<number> {
  const { perSecond, seconds, customers, from, shiftMs = 0, alter = (record) => record, stop } = offer;
  const events = seconds * perSecond;
  const interactions = interleavedSessions({ events, sessions: customers, from: 0 });
  let next = 0;
  let lateMs = 0;
  while (next < events && stop?.aborted !== true) {
    const due = Math.min(events, Math.floor(((Date.now() - from) / 1000) * perSecond));
    const records: OutgoingRecord[] = [];
    for (; next < due; next++) {
      const at = from + Math.floor((next / perSecond) * 1000);
      const drawn = interactions.next();
      if (drawn.done === true) break;
      records.push(alter(recordOf({ ...drawn.value, occurredAt: at + shiftMs }, codec), next));
      lateMs = Math.max(lateMs, Date.now() - at);
    }
    if (records.length > 0) await emitter.send(records);
    else await wait(1);
  }
  return lateMs;
}

function recordOf(interaction: Interaction, codec: ProvisionedPlace['codec']): OutgoingRecord {
  const key = Buffer.from(subjectKey(interaction.brandId, `u:${interaction.userId}`));
  const value = codec.encode(INPUT, interaction);
  return { topic: INPUT, key, value, timestamp: interaction.occurredAt, headers: {} };
}
