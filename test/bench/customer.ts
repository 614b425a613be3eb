import type { Benchmark, Surroundings } from './benchmark.ts';
import { customerCeilings } from './ceilings.ts';
import { drain, openPlace, pastSessions, preload, sumOf, type Drained } from './stage.ts';

const SEGMENTS = 100;

export const customer: Benchmark = {
  name: 'customer',
  about: 'the customer stage alone: interleaved sessions, 100 segments, every document flushed',
  targets: [
    { figure: 'events/s, all flushed', unit: 'events/s', bound: 'at least', value: 40_000 },
    { figure: 'Node CPU µs/event', unit: 'µs', bound: 'at most', value: 25 },
  ],
  async run(surroundings) {
    const sessions = pastSessions(surroundings.events);
    await using place = await openPlace(surroundings, { segments: SEGMENTS, time: 'record' });
    await preload('customer-events.v1', sessions, place, surroundings.progress);
    const drained = await drain(place, ['customer'], sessions.events, surroundings);
    const { ceilings, details } = await customerCeilings(drained, sessions.events, place, surroundings);
    return { figures: figuresOf(drained), ceilings, details: { ...detailsOf(drained, sessions.events), ...details } };
  },
};

export const intakeAndCustomer: Benchmark = {
  name: 'intake-customer',
  about: 'the same events through intake and the customer stage in one process',
  targets: [
    { figure: 'events/s, all flushed', unit: 'events/s', bound: 'at least', value: 20_000 },
    { figure: 'Node CPU µs/event', unit: 'µs', bound: 'at most', value: 35 },
  ],
  async run(surroundings: Surroundings) {
    const sessions = pastSessions(surroundings.events);
    await using place = await openPlace(surroundings, { segments: SEGMENTS, time: 'record' });
    await preload('interactions.v1', sessions, place, surroundings.progress);
    const drained = await drain(place, ['intake', 'customer'], sessions.events, surroundings);
    return { figures: figuresOf(drained), details: detailsOf(drained, sessions.events) };
  },
};

export const moreSegments: Benchmark = {
  name: 'segments',
  about: 'CPU of the customer stage with 1,000 segments for that with 100',
  targets: [{ figure: 'CPU ratio 1,000 : 100', unit: '×', bound: 'at most', value: 2 }],
  async run(surroundings) {
    const sessions = pastSessions(Math.ceil(surroundings.events / 4));
    const cpu = async (segments: number): Promise<number> => {
      await using place = await openPlace(surroundings, { segments, time: 'record' });
      await preload('customer-events.v1', sessions, place, surroundings.progress);
      return (await drain(place, ['customer'], sessions.events, surroundings)).cpuMicrosPerEvent;
    };
    const few = await cpu(100);
    const many = await cpu(1000);
    return {
      figures: { 'CPU ratio 1,000 : 100': many / few },
      details: { '100 segments, CPU µs/event': few, '1,000 segments, CPU µs/event': many, events: sessions.events },
    };
  },
};

function figuresOf(drained: Drained): Record<string, number> {
  return {
    'events/s, all flushed': drained.storedPerSecond,
    'Node CPU µs/event': drained.cpuMicrosPerEvent,
    'events/s, folded': drained.foldedPerSecond,
    'Node CPU µs/event, folded': drained.foldedCpuMicrosPerEvent,
  };
}

function detailsOf({ metrics, documents, heapBytesMax }: Drained, events: number): Record<string, number> {
  const of = { processor: 'customer' };
  const blocks = sumOf(metrics, 'kizuna_journal_block_bytes_count', of);
  const stages = ['decode', 'load', 'fold', 'journal', 'emit', 'commit', 'flush'];
  const micros = stages.map((stage): [string, number] => {
    const seconds = sumOf(metrics, 'kizuna_batch_seconds_sum', { ...of, stage });
    return [`customer ${stage}, µs/event over all partitions`, (seconds / events) * 1e6];
  });
  return {
    events,
    'outputs/event': sumOf(metrics, 'kizuna_outputs_total', of) / events,
    'documents/event': documents / events,
    'events/block': events / blocks,
    'bytes/block': sumOf(metrics, 'kizuna_journal_block_bytes_sum', of) / blocks,
    'heap MiB at most': heapBytesMax / 2 ** 20,
    ...Object.fromEntries(micros),
  };
}
