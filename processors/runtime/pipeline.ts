import type { Processor } from '../core/processor.ts';
import { consume } from './consume.ts';
import { StatefulMember } from './consume-stateful.ts';
import type { Consumption } from './consumption.ts';
import { LiveTime } from './live-time.ts';
import type { PipelinePorts } from './pipeline-ports.ts';

export interface PipelineOptions {
  /** `live`: deadlines fire by themselves. `record`: only before a key's next record, and at an explicit sweep. */
  readonly time: 'live' | 'record';
  /** The processors to run here; every one of `all` by default. */
  readonly only?: readonly string[];
}

/** Several processors at work in one process. */
export interface Pipeline extends AsyncDisposable {
  readonly members: readonly Consumption[];
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
  const stopAll = async (): Promise<void> => {
    await Promise.all(times.map((time) => time.stop()));
    await Promise.all(members.map((member) => member.stop()));
  };
  try {
    for (const processor of here) members.push(await consume(processor, ports));
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
  const failed = Promise.race([...members.map((member) => member.failed), ...times.map((time) => time.failed)]);
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => (stopping ??= stopAll());
  return { members, failed, stop, [Symbol.asyncDispose]: stop };
}
