import { setTimeout as wait } from 'node:timers/promises';
import type { Benchmark } from './benchmark.ts';
import { startChild } from './child-process.ts';
import { quantileOf, watchMemberships } from './memberships.ts';
import { offerEvents } from './offering.ts';
import type { PipelineReport, PipelineTask } from './pipeline-process.ts';
import { expectKind, openPlace } from './stage.ts';

const EVENTS_PER_SECOND = 2_000;
const WARM_UP_SECONDS = 5;
const SECONDS = 30;
const CUSTOMERS = 20_000;

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
    surroundings.progress(`${EVENTS_PER_SECOND} events/s for ${WARM_UP_SECONDS + SECONDS} s`);
    const startedAt = Date.now() + 500;
    const seconds = WARM_UP_SECONDS + SECONDS;
    const lateMs = await offerEvents(
      { perSecond: EVENTS_PER_SECOND, seconds, customers: CUSTOMERS, from: startedAt },
      place,
    );
    // What is still on its way after that is no latency but a lag: it is missed, and shows as too few records.
    await wait(2_000);
    child.send({ stop: true });
    expectKind(await child.next(), 'ended');
    await child.ended();
    const measured = seen.filter(({ at }) => at >= startedAt + WARM_UP_SECONDS * 1000).map(({ ms }) => ms);
    const quantile = (q: number): number => quantileOf(measured, q);
    return {
      figures: { 'p50 ms': quantile(0.5), 'p99 ms': quantile(0.99), 'p99.9 ms': quantile(0.999) },
      details: { 'records measured': measured.length, 'maximum ms': quantile(1), 'generator late at most, ms': lateMs },
    };
  },
};
