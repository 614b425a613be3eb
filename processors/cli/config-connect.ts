import { TOPICS } from '../../topics/catalog.ts';
import { createProcessors } from '../catalog.ts';
import { ConfigurationError } from '../core/errors.ts';
import { loadDefinitions, shippedDefinitions } from '../definitions/load.ts';
import type { Config } from '../runtime/config.ts';
import { openLog } from '../runtime/connect.ts';
import { probeMongoStore } from '../runtime/mongo/probe.ts';
import { storeName } from '../runtime/pipeline-ports.ts';
import { commandLog, openRegistry, type ServicesConfig } from './connections.ts';
import { reportOf } from './failure.ts';

/** What one service said; no fault: everything that processes need of it is there. */
export interface ServiceCheck {
  readonly service: 'Kafka' | 'MongoDB' | 'schema registry';
  readonly faults: readonly string[];
}

const MONGODB_WITHIN_MS = 8_000;

/** Tries each service side by side, as a process with these settings would, and changes nothing. */
export async function checkServices(config: Config, services: ServicesConfig): Promise<readonly ServiceCheck[]> {
  await using stack = new AsyncDisposableStack();
  return await Promise.all([
    check('Kafka', () => kafkaFaults(config, services, stack)),
    check('MongoDB', () => mongodbFaults(config, services)),
    check('schema registry', () => registryFaults(config, stack)),
  ]);
}

async function check(service: ServiceCheck['service'], faultsOf: () => Promise<string[]>): Promise<ServiceCheck> {
  try {
    return { service, faults: await faultsOf() };
  } catch (error) {
    return { service, faults: [told(error)] };
  }
}

/** Each topic and each group is asked for by itself, so that everything that is missing is told at once. */
async function kafkaFaults(config: Config, { kafka }: ServicesConfig, stack: AsyncDisposableStack): Promise<string[]> {
  const { log } = openLog(kafka, config.prefix, commandLog(config), stack);
  const faults: string[] = [];
  const ask = async (question: () => Promise<unknown>): Promise<boolean> => {
    try {
      await question();
      return true;
    } catch (error) {
      faults.push(told(error));
      return false;
    }
  };
  for (const { name, readers, writers } of TOPICS) {
    if (readers.length + writers.length === 0) continue;
    const isThere = await ask(() => log.ranges(name));
    // Out of reach, or closed to this user altogether: the same would be said of everything else.
    if (!isThere && /reach the brokers|close the connection/.test(faults.at(-1) ?? '')) return faults;
    for (const reader of isThere ? readers : []) await ask(() => log.committed(reader, name));
  }
  return faults;
}

async function mongodbFaults(config: Config, { store }: ServicesConfig): Promise<string[]> {
  const definitions = await loadDefinitions(config.definitionsFolder ?? shippedDefinitions);
  const all = createProcessors(definitions);
  const namesOf = (kind: 'stateful' | 'stateless'): string[] => all.filter((each) => each.kind === kind).map(storeName);
  const names = { processors: namesOf('stateful'), stateless: namesOf('stateless') };
  await probeMongoStore({ ...store, ...names, timeoutMs: MONGODB_WITHIN_MS });
  return [];
}

async function registryFaults(config: Config, stack: AsyncDisposableStack): Promise<string[]> {
  const registry = openRegistry(config, stack);
  const faults: string[] = [];
  for (const { name, schema } of TOPICS) {
    if (schema === null) continue;
    const subject = `${config.prefix}${name}-value`;
    if ((await registry.latest(subject)) === null) faults.push(`no schema is registered as ${subject}`);
  }
  return faults;
}

/** The fault alone: what to do about it stands in the message or is told once for the service. */
function told(error: unknown): string {
  if (error instanceof ConfigurationError) return reportOf(error).lines.join('; ');
  const { document } = reportOf(error);
  return 'message' in document && typeof document.message === 'string' ? document.message : String(error);
}
