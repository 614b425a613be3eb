import { setTimeout as wait } from 'node:timers/promises';
import { PipelineError } from '../core/errors.ts';
import type { Processor } from '../core/processor.ts';
import { consume } from './consume.ts';
import { StatefulMember } from './consume-stateful.ts';
import { Failure, type Consumption } from './consumption.ts';
import { LiveTime } from './live-time.ts';
import type { PipelinePorts } from './pipeline-ports.ts';
import { proveIdle, Progress } from './progress.ts';
import { Purge, type PurgeOptions } from './purge.ts';
import { elapsedMs } from './stopwatch.ts';

export interface PipelineOptions {
  /** `live`: deadlines fire by themselves. `record`: only before a key's next record, and at an explicit sweep. */
  readonly time: 'live' | 'record';
  /** The processors to run here; every one of `all` by default. */
  readonly only?: readonly string[];
  /** Absent: internal topics keep everything, and nobody remembers when it was folded. */
  readonly purge?: PurgeOptions;
}

/** Several processors at work in one process. */
export interface Pipeline extends AsyncDisposable {
  readonly members: readonly Consumption[];
  /** Whether the log answers when it is asked where it ends; for half a minute nobody is worried when it does not. */
  readonly logAnswers: boolean;
  /** Rejects with the first error that ends a member; never resolves. */
  readonly failed: Promise<never>;
  /** In order: time stops passing, each member finishes its blocks, leaves its group and flushes. Harmless when repeated. */
  stop(): Promise<void>;
}

/** Starts each processor as a member of its group, the first of the list first. */
export async function startPipeline(
  all: readonly Processor[],
  ports: PipelinePorts,
  options: PipelineOptions,
): Promise<Pipeline> {
  const here = all.filter((processor) => options.only?.includes(processor.name) ?? true);
  const members: Consumption[] = [];
  const times: LiveTime[] = [];
  const purge = options.purge ? new Purge(members, ports, options.purge) : null;
  const stopped = new AbortController();
  const stopAll = async (): Promise<void> => {
    stopped.abort();
    await Promise.all([...times.map((time) => time.stop()), purge?.stop()]);
    await Promise.all(members.map((member) => member.stop()));
  };
  try {
    for (const processor of here) members.push(await consume(processor, { ...ports, time: options.time }));
  } catch (error) {
    await stopAll();
    throw error;
  }
  if (options.time === 'live') {
    for (const member of members) {
      if (!(member instanceof StatefulMember)) continue;
      const time = new LiveTime(member, all, ports);
      time.start();
      times.push(time);
    }
  }
  purge?.start();
  const answers = new Progress(elapsedMs, LOG_SILENT_MS);
  const watching = new Failure();
  watchMembers(members, ports, answers, stopped.signal).catch((error: unknown) => {
    watching.report(error);
  });
  const parts = [...members, ...times, ...(purge ? [purge] : [])].map((part) => part.failed);
  const failed = Promise.race([...parts, watching.promise]);
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => (stopping ??= stopAll());
  return {
    members,
    failed,
    stop,
    get logAnswers() {
      return !answers.isStuck;
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** How often it is asked whether a consumer that receives nothing has nothing to receive, and how far it is behind. */
const WATCH_EVERY_MS = 5_000;
const LOG_SILENT_MS = 30_000;

async function watchMembers(
  members: readonly Consumption[],
  ports: PipelinePorts,
  answers: Progress,
  stopped: AbortSignal,
): Promise<void> {
  for (;;) {
    await wait(WATCH_EVERY_MS, undefined, { ref: false, signal: stopped }).catch(() => undefined);
    if (stopped.aborted) return;
    for (const member of members) {
      try {
        answers.waiting();
        await proveIdle(member.progress, ports.log, await member.positions());
        await member.report();
        answers.idle();
      } catch (error) {
        if (!(error instanceof PipelineError)) throw error;
        // Not knowing is not stuck: when the log does not answer, nothing is told.
        ports.logger.debug('idleness could not be proven', { processor: member.processor.name, code: error.code });
      }
    }
  }
}
