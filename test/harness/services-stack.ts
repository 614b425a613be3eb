import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './native-cache.ts';
import { removeData } from './native-folder.ts';
import { withLock } from './native-lock.ts';
import { isFree } from './native-ports.ts';
import { SERVICE_NAMES, startNativeStack, type ServiceName } from './native-stack.ts';
import { nativeAddresses } from './services.ts';
import { endProcess, isOurs, readStackState, writeStackState, type StackState } from './services-state.ts';

/** A service without an entry stays where it runs, or takes its usual port. */
export type StackPorts = Partial<Readonly<Record<ServiceName, number>>>;

const USUAL_PORTS: Readonly<Record<ServiceName, number>> = { kafka: 9092, mongodb: 27_017, schemaRegistry: 8081 };

export interface StackStatus {
  /** True when every service runs. */
  readonly running: boolean;
  readonly services: Readonly<Record<ServiceName, ServiceStatus>>;
  /** The settings that point Kizuna at the stack; empty while not all of it runs. */
  readonly environment: Readonly<Record<string, string>>;
}

interface ServiceStatus {
  readonly running: boolean;
  readonly port: number | null;
  readonly pid: number | null;
  readonly log: string;
}

/** Starts what does not run yet, with the data that an earlier stack kept. Rejects when it already runs on other ports. */
export async function upStack(wanted: StackPorts): Promise<StackStatus> {
  const folder = stackFolder();
  await mkdir(folder, { recursive: true });
  return withLock(join(folder, 'lock'), async () => {
    const before = await readStackState(folder);
    const running = await runningNames(before, folder);
    const missing = SERVICE_NAMES.filter((name) => !running.has(name));
    const ports: Record<ServiceName, number> = { ...USUAL_PORTS, ...wanted };
    for (const name of missing) await checkFree(name, ports[name]);
    for (const name of running) checkSame(name, wanted[name], before?.[name].port);
    const started = await startNativeStack(missing, { folder, ports, outlives: true });
    const entry = (name: ServiceName): StackState[ServiceName] => {
      const known = running.has(name) ? before?.[name] : undefined;
      return known ?? { pid: started[name]?.pid ?? 0, port: ports[name] };
    };
    const after = { kafka: entry('kafka'), mongodb: entry('mongodb'), schemaRegistry: entry('schemaRegistry') };
    await writeStackState(folder, after);
    // Not before: a server that is not written down could not be stopped by `down`.
    for (const server of Object.values(started)) server.letGo();
    return statusOf(after, new Set(SERVICE_NAMES), folder);
  });
}

/** Stops exactly the processes that upStack started; resolves with the names of those that ran. */
export async function downStack({ keepData }: { keepData: boolean }): Promise<ServiceName[]> {
  const folder = stackFolder();
  await mkdir(folder, { recursive: true });
  return withLock(join(folder, 'lock'), async () => {
    const state = await readStackState(folder);
    const running = await runningNames(state, folder);
    if (state !== undefined) await Promise.all(SERVICE_NAMES.map((name) => endProcess(state[name].pid, folder)));
    await writeStackState(folder, undefined);
    if (!keepData) {
      await removeData(folder);
      await rm(join(folder, 'logs'), { recursive: true, force: true });
    }
    return [...running];
  });
}

export async function statusOfStack(): Promise<StackStatus> {
  const folder = stackFolder();
  const state = await readStackState(folder);
  return statusOf(state, await runningNames(state, folder), folder);
}

function stackFolder(): string {
  return join(cacheFolder(), 'stack');
}

async function runningNames(state: StackState | undefined, folder: string): Promise<Set<ServiceName>> {
  const running = new Set<ServiceName>();
  if (state === undefined) return running;
  for (const name of SERVICE_NAMES) if (await isOurs(state[name].pid, folder)) running.add(name);
  return running;
}

async function checkFree(name: ServiceName, port: number): Promise<void> {
  if (await isFree(port)) return;
  const option = { kafka: '--port-kafka', mongodb: '--port-mongodb', schemaRegistry: '--port-registry' }[name];
  throw new Error(`port ${port} is taken by another program: choose another one for ${name} with ${option}`);
}

function checkSame(name: ServiceName, wanted: number | undefined, current: number | undefined): void {
  if (wanted === undefined || wanted === current) return;
  throw new Error(`${name} already runs on port ${current}, not ${wanted}: run \`down\` first`);
}

function statusOf(state: StackState | undefined, running: ReadonlySet<ServiceName>, folder: string): StackStatus {
  const service = (name: ServiceName): ServiceStatus => {
    const known = running.has(name) ? state?.[name] : undefined;
    const log = join(folder, 'logs', `${name}.log`);
    return { running: known !== undefined, port: known?.port ?? null, pid: known?.pid ?? null, log };
  };
  const complete = state !== undefined && running.size === SERVICE_NAMES.length;
  const addresses = complete ? nativeAddresses(state) : {};
  return {
    running: complete,
    services: { kafka: service('kafka'), mongodb: service('mongodb'), schemaRegistry: service('schemaRegistry') },
    environment: complete
      ? {
          KIZUNA_KAFKA_BROKERS: addresses.kafka ?? '',
          KIZUNA_MONGODB_URI: addresses.mongodb ?? '',
          KIZUNA_SCHEMA_REGISTRY_URL: addresses.schemaRegistry ?? '',
        }
      : {},
  };
}
