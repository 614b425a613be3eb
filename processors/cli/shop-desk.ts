import type { CaseChanged } from '../../schemas/types.ts';
import type { Instant } from '../core/processor.ts';
import type { Codec, Emitter, OutgoingRecord } from '../runtime/ports.ts';
import { CaseDesk } from '../simulation/desk.ts';

const CASES = 'cases.v1';
export const COMMANDS = 'commands.v1';

/** The shop's desk on the pipeline's topics: it reads what is published of cases, and its commands are records to send. */
export class ShopDesk {
  readonly #desk: CaseDesk;

  constructor(seed: number) {
    this.#desk = new CaseDesk(seed);
  }

  /** Hears of every case on its way out. */
  emitter(emitter: Emitter, codec: Codec): Emitter {
    return {
      send: async (records) => {
        await emitter.send(records);
        for (const { topic, value } of records) {
          if (topic !== CASES || value === null) continue;
          const decoded = codec.decode(CASES, value);
          // What this process has just encoded with the schema of this topic.
          if (typeof decoded !== 'string') this.#desk.hear(decoded as CaseChanged);
        }
      },
      close: () => emitter.close(),
    };
  }

  recordsUntil(until: Instant, codec: Codec): OutgoingRecord[] {
    return this.#desk.commandsUntil(until).map(({ timestamp, key, value }) => {
      return { topic: COMMANDS, key: Buffer.from(key), value: codec.encode(COMMANDS, value), timestamp, headers: {} };
    });
  }
}
