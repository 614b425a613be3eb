import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Benchmark } from './benchmark.ts';
import { runChild } from './child-process.ts';
import type { FoldReport, FoldTask } from './fold-process.ts';
import { writeDefinitions, writeMixedDefinitions } from './segments.ts';
import { pastSessions } from './stage.ts';

/** Always the same: where hours and days begin is part of the work. */
const FROM = Date.UTC(2026, 4, 1, 9);

export const fold: Benchmark = {
  name: 'fold',
  about: 'the bare fold in one process, on ports that do nothing: what processors, codec and runtime take themselves',
  targets: [
    { figure: 'customer, 100 segments, CPU µs/event', unit: 'µs', bound: 'at most', value: 12 },
    { figure: 'intake, CPU µs/event', unit: 'µs', bound: 'at most', value: 4 },
    { figure: '100 mixed rules, CPU µs/event', unit: 'µs', bound: 'at most', value: 4 },
  ],
  async run({ events, folder, profileFolder, progress }) {
    const run = async (
      processor: FoldTask['processor'],
      segments: number | 'mixed',
      count: number,
    ): Promise<FoldReport> => {
      progress(`${processor} with ${segments} segments`);
      const own = await mkdtemp(join(folder, 'fold-'));
      const definitions = await (segments === 'mixed' ? writeMixedDefinitions(own) : writeDefinitions(own, segments));
      const task = { processor, definitions, sessions: { ...pastSessions(count), from: FROM } };
      return runChild<FoldTask, FoldReport>('fold-process.ts', task, profileFolder);
    };
    const customer = await run('customer', 100, events);
    const many = await run('customer', 1000, Math.ceil(events / 4));
    const intake = await run('intake', 100, events);
    // What a hundred rules of every kind add to a customer who has none.
    const none = await run('customer', 0, events);
    const mixed = await run('customer', 'mixed', events);
    return {
      figures: {
        'customer, 100 segments, CPU µs/event': customer.cpuMicrosPerEvent,
        'intake, CPU µs/event': intake.cpuMicrosPerEvent,
        '100 mixed rules, CPU µs/event': mixed.cpuMicrosPerEvent - none.cpuMicrosPerEvent,
      },
      details: {
        events,
        'customer, later half, CPU µs/event': customer.laterCpuMicrosPerEvent,
        'customer, outputs/event': customer.outputsPerEvent,
        'customer, documents/event': customer.documentsPerEvent,
        'customer, 1,000 segments and a quarter of the events, CPU µs/event': many.cpuMicrosPerEvent,
        'customer, 1,000 segments, outputs/event': many.outputsPerEvent,
        'customer without segments, CPU µs/event': none.cpuMicrosPerEvent,
        'customer, 100 mixed rules, outputs/event': mixed.outputsPerEvent,
        'intake, later half, CPU µs/event': intake.laterCpuMicrosPerEvent,
      },
    };
  },
};
