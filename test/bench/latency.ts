import { setTimeout as wait } from 'node:timers/promises';
import type { Benchmark } from './benchmark.ts';
import { startChild } from './child-process.ts';
import { quantileOf, watchMemberships } from './memberships.ts';
import type { OfferReport, OfferTask } from './latency-generator.ts';
import type { MetricSum, PipelineReport, PipelineTask } from './pipeline-process.ts';
import { expectKind, openPlace, sumOf } from './stage.ts';

const RATE = { eventsPerSecond: 2_000, customers: 20_000 };
/** For the generator to start and to encode everything beforehand. */
const PREPARE_MS = 10_000;
const WARM_UP_SECONDS = 5;
const SECONDS = 30;

export const latency: Benchmark = {
  name: 'latency',
  about: 'from an interaction to its membership record, through everything, at 2,000 events/s offered',
  targets: [
    { figure: 'p50 ms', unit: 'ms', bound: 'at most', value: 50 },
    { figure: 'p99 ms', unit: 'ms', bound: 'at most', value: 250 },
  ],
  async run(surroundings) {
    await using place = await openPlace(surroundings, { segments: 100, time: 'live' });
    using child = startChild<PipelineTask | { stop: true }, PipelineReport>(
      'pipeline-process.ts',
      surroundings.profileFolder,
    );
    child.send({ environment: place.environment, only: ['intake', 'customer'], drain: null, idleSeconds: null });
    expectKind(await child.next(), 'ready');
    const seen: { at: number; ms: number }[] = [];
    await using stack = new AsyncDisposableStack();
    stack.use(
      await watchMemberships(place, ({ cause, occurredAt }, arrivedAt) => {
        if (cause === 'EVENT') seen.push({ at: occurredAt, ms: arrivedAt - occurredAt });
      }),
    );
    const seconds = WARM_UP_SECONDS + SECONDS;
    surroundings.progress(`${RATE.eventsPerSecond} events/s for ${seconds} s`);
    using generator = startChild<OfferTask, OfferReport>('latency-generator.ts', null);
    const startedAt = Date.now() + PREPARE_MS;
    generator.send({ environment: place.environment, startedAt, seconds, ...RATE });
    const offered = await generator.next();
    // What is still on its way after that is no latency but a lag: it is missed, and shows as too few records.
    await wait(2_000);
    child.send({ stop: true });
    const { metrics } = expectKind(await child.next(), 'ended');
    await child.ended();
    const measured = seen.filter(({ at }) => at >= startedAt + WARM_UP_SECONDS * 1000).map(({ ms }) => ms);
    const quantile = (q: number): number => quantileOf(measured, q);
    return {
      figures: { 'p50 ms': quantile(0.5), 'p99 ms': quantile(0.99), 'p99.9 ms': quantile(0.999) },
      details: {
        'records measured': measured.length,
        'maximum ms': quantile(1),
        // Both are in the latency: it counts from when an event was to be sent.
        'handed to the producer late, p50 ms': offered.lateMs.p50,
        'handed to the producer late, p99 ms': offered.lateMs.p99,
        'handed to the producer late, at most ms': offered.lateMs.max,
        'acknowledged after, p50 ms': offered.acknowledgedMs.p50,
        'acknowledged after, p99 ms': offered.acknowledgedMs.p99,
        ...stagesOf(metrics),
      },
    };
  },
};

/** What the steps of a batch took on the average, and how many records one held. */
function stagesOf(metrics: readonly MetricSum[]): Record<string, number> {
  const details: Record<string, number> = {};
  for (const processor of ['intake', 'customer']) {
    for (const stage of ['decode', 'load', 'fold', 'journal', 'emit', 'commit', 'flush', 'sweep']) {
      const batches = sumOf(metrics, 'kizuna_batch_seconds_count', { processor, stage });
      const seconds = sumOf(metrics, 'kizuna_batch_seconds_sum', { processor, stage });
      if (batches > 0) details[`${processor} ${stage}, mean ms`] = (seconds / batches) * 1000;
    }
    const batches = sumOf(metrics, 'kizuna_batch_records_count', { processor });
    details[`${processor} records/batch`] = sumOf(metrics, 'kizuna_batch_records_sum', { processor }) / batches;
  }
  return details;
}
