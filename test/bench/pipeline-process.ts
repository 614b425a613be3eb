import { setTimeout as wait } from 'node:timers/promises';
import { SILENT_LOG } from '../../processors/cli/silent-log.ts';
import { startKizuna, type Kizuna } from '../../processors/main.ts';
import { loadConfig } from '../../processors/runtime/config.ts';
import { StatefulMember } from '../../processors/runtime/consume-stateful.ts';
import type { OwnedPartition } from '../../processors/runtime/owned-partition.ts';
import { carryOut, spending, type Spent } from './child-process.ts';

/** Runs processors of the catalog as production does, and tells what that took. */
export interface PipelineTask {
  readonly environment: Readonly<Record<string, string>>;
  readonly only: readonly string[];
  /** Tells when so many customer events are folded, and when all their documents are stored. */
  readonly drain: number | null;
  /** After that, tells what doing nothing for so long costs. */
  readonly idleSeconds: number | null;
  /** Its clock is the machine's and so much. */
  readonly clockShiftMs?: number;
  /** After that, tells when every deadline of then is applied, and all documents are stored. */
  readonly settle?: boolean;
}

/** What may be asked of it later. */
export type PipelineRequest = { readonly stop: true } | { readonly clockShiftMs: number };

export type PipelineReport =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'drained';
      /** Customer events folded meanwhile. */
      readonly events: number;
      readonly folded: Spent;
      readonly stored: Spent;
      readonly documents: number;
      readonly heapBytesMax: number;
    }
  | { readonly kind: 'idle'; readonly spent: Spent }
  | { readonly kind: 'settled' }
  | { readonly kind: 'ended'; readonly metrics: readonly MetricSum[] };

/** A sum of the process's own metrics. */
export interface MetricSum {
  readonly name: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

const LOOK_EVERY_MS = 10;
/** What is still settling after the last document. */
const BEFORE_IDLE_MS = 5_000;

const tell = (report: PipelineReport): void => void process.send?.(report);

carryOut(work);

async function work(task: PipelineTask): Promise<void> {
  const config = loadConfig(task.environment);
  let { clockShiftMs = 0 } = task;
  const clock = { now: () => Date.now() + clockShiftMs };
  const asked = new Promise<void>((resolve) => {
    process.on('message', (message) => {
      // The other end is a file of this folder.
      const request = message as PipelineRequest;
      if ('stop' in request) resolve();
      else clockShiftMs = request.clockShiftMs;
    });
  });
  await using kizuna = await startKizuna(config, {
    logger: SILENT_LOG,
    clock,
    only: task.only,
  });
  // The group is joined and nothing but the first fetch is under way.
  const spent = spending();
  const before = foldedBy(kizuna);
  const written = countDocuments(kizuna);
  tell({ kind: 'ready' });
  if (task.drain !== null) await drain(kizuna, task.drain, { spent, before, written });
  if (task.settle === true) {
    await untilSettled(kizuna, clock.now());
    tell({ kind: 'settled' });
  }
  if (task.idleSeconds !== null) {
    await wait(BEFORE_IDLE_MS);
    const idle = spending();
    await wait(task.idleSeconds * 1000);
    tell({ kind: 'idle', spent: idle() });
  }
  await Promise.race([asked, kizuna.pipeline.failed]);
  tell({ kind: 'ended', metrics: await sumsOf(kizuna) });
}

interface Beginning {
  readonly spent: () => Spent;
  readonly before: number;
  readonly written: () => number;
}

async function drain(kizuna: Kizuna, goal: number, { spent, before, written }: Beginning): Promise<void> {
  let heapBytesMax = 0;
  const until = async (isThere: () => boolean): Promise<Spent> => {
    while (!isThere()) {
      await Promise.race([wait(LOOK_EVERY_MS), kizuna.pipeline.failed]);
      heapBytesMax = Math.max(heapBytesMax, process.memoryUsage().heapUsed);
    }
    return spent();
  };
  const folded = await until(() => foldedBy(kizuna) >= goal);
  const stored = await until(() => [...kizuna.ports.owned].every((partition) => partition.dirty.size === 0));
  tell({ kind: 'drained', events: goal - before, folded, stored, documents: written(), heapBytesMax });
}

async function untilSettled({ ports, pipeline }: Kizuna, until: number): Promise<void> {
  const isSettled = ({ sweptTo, dirty }: OwnedPartition): boolean => (sweptTo ?? 0) >= until && dirty.size === 0;
  while (ports.owned.size === 0 || ![...ports.owned].every(isSettled)) {
    await Promise.race([wait(LOOK_EVERY_MS), pipeline.failed]);
  }
}

/** Customer events folded so far: the topic begins at 0 and holds nothing but records. */
function foldedBy({ pipeline }: Kizuna): number {
  let events = 0;
  for (const member of pipeline.members) {
    if (!(member instanceof StatefulMember)) continue;
    for (const { next } of member.partitions()) events += next;
  }
  return events;
}

/** Counts the documents written from now on: many events of one customer may become one. */
function countDocuments({ ports }: Kizuna): () => number {
  let count = 0;
  const { store } = ports;
  const plain = store.documents.bind(store);
  // A store may answer the same documents each time.
  const counting = new WeakSet<object>();
  store.documents = (processor) => {
    const documents = plain(processor);
    if (counting.has(documents)) return documents;
    counting.add(documents);
    const write = documents.store.bind(documents);
    documents.store = (writes) => ((count += writes.length), write(writes));
    return documents;
  };
  return () => count;
}

async function sumsOf({ registry }: Kizuna): Promise<MetricSum[]> {
  const sums: MetricSum[] = [];
  for (const metric of await registry.getMetricsAsJSON()) {
    for (const sample of metric.values) {
      // A histogram's samples have names of their own.
      const name = 'metricName' in sample ? String(sample.metricName) : metric.name;
      const labels = sample.labels as MetricSum['labels'];
      sums.push({ name, labels, value: sample.value });
    }
  }
  return sums.filter(({ name, value }) => name.startsWith('kizuna_') && !name.endsWith('_bucket') && value !== 0);
}
