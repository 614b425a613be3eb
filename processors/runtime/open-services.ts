import type { Config } from './config.ts';
import { connectServices, type Wiring } from './connect.ts';
import { embedServices, type EmbeddedTopic } from './embed.ts';
import type { Services } from './services.ts';

/** How many partitions the embedded log has, and how much of each topic it keeps for whoever looks. */
const EMBEDDED = { partitions: 4, keepRecords: 10_000 };

/** The services that the configuration names, or all of them embedded when it names none. */
export async function openServices(
  config: Config,
  wiring: Wiring & { readonly topics: readonly EmbeddedTopic[] },
): Promise<Services> {
  if (config.services !== null) return connectServices(config, config.services, wiring);
  return embedServices({ topics: wiring.topics, clock: wiring.clock, ...EMBEDDED });
}
