import { describe } from 'vitest';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import { openMongoStore } from '../../processors/runtime/mongo/store.ts';
import type { Meter } from '../../processors/runtime/meter.ts';
import type { Log, Store } from '../../processors/runtime/ports.ts';
import { describeWithServices, sandbox } from '../harness/sandbox.ts';
import { connectMongodb } from '../harness/service-clients.ts';

export const PROCESSOR = 'probe.v1';

/** One store seen by two processes: what either writes the other must see. */
export interface OpenedStores extends AsyncDisposable {
  readonly mine: Store;
  readonly rival: Store;
}

export interface StoreAdapter {
  readonly name: string;
  /** As vitest's describe; skipped where the service cannot run. */
  readonly suite: typeof describe | typeof describe.skip;
  readonly open: () => Promise<OpenedStores>;
}

/** Each contract suite runs on every one of these: memory is never kinder than the real store. */
export const STORE_ADAPTERS: readonly StoreAdapter[] = [
  { name: 'memory', suite: describe, open: async () => openMemory() },
  { name: 'MongoDB', suite: describeWithServices, open: () => openMongodb() },
];

export interface OpenedMongodb extends OpenedStores {
  /** The database behind the stores. */
  readonly database: ReturnType<Awaited<ReturnType<typeof connectMongodb>>['db']>;
  readonly lines: readonly LogLine[];
  /** The operations measured so far. */
  readonly measured: readonly string[];
}

/** Two stores on a database of their own. Only inside describeWithServices. */
export async function openMongodb(): Promise<OpenedMongodb> {
  const { mongodbUri, database: name } = sandbox('stores');
  const config = { uri: mongodbUri, database: name, processors: [PROCESSOR], revised: [PROCESSOR], timeoutMs: 15_000 };
  const lines: LogLine[] = [];
  const measured: string[] = [];
  const meter = { ...silentMeter(), store: (operation: string) => void measured.push(operation) };
  const mine = await openMongoStore(config, logInto(lines), meter);
  const rival = await openMongoStore(config, logInto(lines), silentMeter());
  const client = await connectMongodb(mongodbUri);
  const database = client.db(name);
  return {
    ...{ mine, rival, database, lines, measured },
    async [Symbol.asyncDispose]() {
      await Promise.all([mine.close(), rival.close()]);
      await database.dropDatabase();
      await client.close();
    },
  };
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: object;
}

export function logInto(lines: LogLine[]): Log {
  const at = (level: string) => {
    return (message: string, fields: object = {}): void => void lines.push({ level, message, fields });
  };
  return {
    ...{ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    child: () => logInto(lines),
  };
}

export function silentMeter(): Meter {
  const nothing = (): void => undefined;
  return {
    ...{ consumed: nothing, outcome: nothing, published: nothing, republished: nothing, deadLetter: nothing },
    ...{ latency: nothing, stage: nothing, batchRecords: nothing, store: nothing, blockBytes: nothing },
    ...{
      takeover: nothing,
      rebalance: nothing,
      partition: nothing,
      passedBy: nothing,
      dirtyDocuments: nothing,
      stopped: nothing,
    },
    ...{ purged: nothing, purgeLeft: nothing, apiRequest: nothing, backfilled: nothing, backfillLeft: nothing },
  };
}

function openMemory(): OpenedStores {
  const store = createMemoryStore();
  return { mine: store, rival: store, [Symbol.asyncDispose]: () => store.close() };
}
