import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SILENT_LOG } from '../../processors/cli/silent-log.ts';
import { startKizuna, type Kizuna } from '../../processors/main.ts';
import { loadConfig } from '../../processors/runtime/config.ts';
import { carryOut } from '../bench/child-process.ts';
import type { Look } from './measures.ts';

/** Runs the whole pipeline as production does, and looks at itself every so often. */
export interface MemberTask {
  readonly environment: Readonly<Record<string, string>>;
  readonly everyMs: number;
}

export type MemberReport = { readonly kind: 'ready' } | { readonly kind: 'look'; readonly look: Look };

const MIB = 2 ** 20;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

carryOut(work);

async function work({ environment, everyMs }: MemberTask): Promise<void> {
  const stop = new AbortController();
  process.once('message', () => {
    stop.abort();
  });
  const clock = { now: Date.now };
  await using kizuna = await startKizuna(loadConfig(environment), { logger: SILENT_LOG, clock });
  const startedAt = performance.now();
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  process.send?.({ kind: 'ready' } satisfies MemberReport);
  while (!stop.signal.aborted) {
    const pause = wait(everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
    await Promise.race([pause, kizuna.pipeline.failed]);
    // What collecting and looking take is not the loop's.
    const loopMs = delay.percentile(99) / 1e6;
    const look = { minutes: (performance.now() - startedAt) / 60_000, ...(await lookAt(kizuna)) };
    process.send?.({ kind: 'look', look: { ...look, 'event loop p99 ms': loopMs } } satisfies MemberReport);
    delay.reset();
  }
}

async function lookAt({ ports, registry }: Kizuna): Promise<Omit<Look, 'minutes' | 'event loop p99 ms'>> {
  const resources = process.getActiveResourcesInfo().length;
  const lags = (await registry.getSingleMetric('kizuna_consumer_lag_seconds')?.get())?.values ?? [];
  collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  const owned = [...ports.owned];
  const sum = (of: (partition: (typeof owned)[number]) => number): number =>
    owned.reduce((all, partition) => all + of(partition), 0);
  return {
    'heap MiB': heapUsed / MIB,
    'external MiB': external / MIB,
    'RSS MiB': rss / MIB,
    resources,
    'ring blocks': Math.max(0, ...owned.map(({ head, flushedTo, emittedTo }) => head - Math.min(flushedTo, emittedTo))),
    'dirty documents': sum(({ dirty }) => dirty.size),
    'cached customers': sum(({ cache }) => cache.size),
    'deadlines in memory': sum(({ dueHeap }) => dueHeap.size),
    'lag seconds': Math.max(0, ...lags.map(({ value }) => value)),
  };
}
