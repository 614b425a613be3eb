import type { Benchmark } from './benchmark.ts';
import { startChild } from './child-process.ts';
import { spanMs } from './events.ts';
import type { PipelineReport, PipelineTask } from './pipeline-process.ts';
import { expectKind, openPlace, preload } from './stage.ts';

const IDLE_SECONDS = 20;
/** So that there is something to watch over. */
const EVENTS = 10_000;
const SESSIONS = 2_000;

export const idle: Benchmark = {
  name: 'idle',
  about: 'the whole pipeline with 2,000 customers and nothing to do',
  targets: [{ figure: '% of a core', unit: '%', bound: 'at most', value: 8 }],
  async run(surroundings) {
    await using place = await openPlace(surroundings, { segments: 100, time: 'live' });
    const size = { events: EVENTS, sessions: SESSIONS };
    await preload('interactions.v1', { ...size, from: Date.now() - spanMs(size) }, place, surroundings.progress);
    using child = startChild<PipelineTask | { stop: true }, PipelineReport>(
      'pipeline-process.ts',
      surroundings.profileFolder,
    );
    child.send({
      environment: place.environment,
      only: ['intake', 'customer'],
      drain: EVENTS,
      idleSeconds: IDLE_SECONDS,
    });
    expectKind(await child.next(), 'ready');
    expectKind(await child.next(), 'drained');
    surroundings.progress(`nothing to do for ${IDLE_SECONDS} s`);
    const { spent } = expectKind(await child.next(), 'idle');
    child.send({ stop: true });
    expectKind(await child.next(), 'ended');
    await child.ended();
    return { figures: { '% of a core': (spent.cpuSeconds / spent.seconds) * 100 } };
  },
};
