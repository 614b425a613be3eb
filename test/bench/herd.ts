import type { Benchmark } from './benchmark.ts';
import { watchHerd, type Herd, type HerdSeen } from './herd-stage.ts';
import { quantileOf } from './memberships.ts';
import { sumOf } from './stage.ts';

const BUSY_PER_SECOND = 2_000;
const SCATTERED_SECONDS = 40;
/** From before the herd's instant until after the last of it should have left. */
const DURING = { perSecond: 500, fromSeconds: -8, seconds: 20 };

const SCATTERED: Herd = {
  customers: 4_000,
  partition: null,
  leave: { overSeconds: SCATTERED_SECONDS },
  cached: false,
  others: { perSecond: BUSY_PER_SECOND, fromSeconds: SCATTERED_SECONDS / 2, seconds: SCATTERED_SECONDS / 2 },
};
const ONE_PARTITION: Herd = { customers: 20_000, partition: 1, leave: 'window', cached: false, others: DURING };
const CACHED: Herd = { ...ONE_PARTITION, cached: true };
const ALL: Herd = { ...ONE_PARTITION, customers: 100_000, partition: null };

const SCATTERED_QUIET = 'scattered, p99 s';
const SCATTERED_BUSY = 'scattered, others busy, p99 s';
const HERDS = {
  '20,000 on one partition, p99 s': ONE_PARTITION,
  '20,000 on one, cached, p99 s': CACHED,
  '100,000 over all, p99 s': ALL,
} as const;
const BETWEEN = 'records during herds, p99 s';

const atMost = (figure: string, value: number) => ({ figure, unit: 's', bound: 'at most', value }) as const;

export const herd: Benchmark = {
  name: 'herd',
  about: 'from a deadline to its record, with the producer of those customers stopped',
  targets: [
    atMost(SCATTERED_QUIET, 3),
    atMost(SCATTERED_BUSY, 3),
    ...Object.keys(HERDS).map((figure) => atMost(figure, 7)),
    atMost(BETWEEN, 1),
  ],
  async run(surroundings) {
    const figures: Record<string, number> = {};
    const details: Record<string, number> = {};
    const scattered = await watchHerd(SCATTERED, surroundings);
    const busyFrom = scattered.from + SCATTERED.others.fromSeconds * 1000;
    const late = (isBusy: boolean): number =>
      quantileOf(
        secondsLate({ ...scattered, exits: scattered.exits.filter(({ due }) => due >= busyFrom === isBusy) }),
        0.99,
      );
    figures[SCATTERED_QUIET] = late(false);
    figures[SCATTERED_BUSY] = late(true);
    details['scattered: generator late, ms'] = scattered.generatorLateMs;
    const behind = scattered.others.map(({ at, arrivedAt }) => (arrivedAt - at) / 1000);
    details['scattered: others p99 s'] = quantileOf(behind, 0.99);
    const between: number[] = [];
    for (const [figure, each] of Object.entries(HERDS)) {
      const found = herdFound(await watchHerd(each, surroundings));
      figures[figure] = found['p99 s'];
      const name = figure.replace(', p99 s', '');
      for (const [detail, value] of Object.entries(found)) details[`${name}: ${detail}`] = value;
      surroundings.progress(`${name}: p99 ${found['p99 s'].toFixed(1)} s`);
      between.push(found['others p99 s']);
    }
    figures[BETWEEN] = Math.max(...between);
    return { figures, details };
  },
};

function herdFound(seen: HerdSeen) {
  const seconds = secondsLate(seen);
  const last = quantileOf(seconds, 1);
  const during = seen.others.filter(({ at }) => at >= seen.from && at <= seen.from + last * 1000);
  const delays = during.map(({ at, arrivedAt }) => (arrivedAt - at) / 1000);
  const stage = (name: string): number =>
    sumOf(seen.metrics, 'kizuna_batch_seconds_sum', { processor: 'customer', stage: name });
  return {
    'first s': quantileOf(seconds, 0),
    'p99 s': quantileOf(seconds, 0.99),
    'last s': last,
    'others records': delays.length,
    'others p50 s': quantileOf(delays, 0.5),
    'others p99 s': quantileOf(delays, 0.99),
    'generator late, ms': seen.generatorLateMs,
    'in sweep blocks, s over all partitions': stage('sweep'),
    'in journal writes, s': stage('journal'),
    'in sends, s': stage('emit'),
    'in pages of deadlines, s': sumOf(seen.metrics, 'kizuna_store_seconds_sum', { operation: 'documents_due' }),
  };
}

function secondsLate({ exits }: HerdSeen): number[] {
  return exits.map(({ due, arrivedAt }) => (arrivedAt - due) / 1000);
}
