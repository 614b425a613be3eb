import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../processors/core/event-time.ts';
import { Random } from '../../processors/simulation/random.ts';
import type { ExperimentResults, Interaction } from '../../schemas/types.ts';
import { experiment } from '../harness/experiments.ts';
import { produceInteractions, type LoggedInteraction } from '../harness/interactions.ts';
import { runKizuna } from '../harness/kizuna-process.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { storedSums, type StoredSums } from '../harness/stored-experiments.ts';
import { progressOf, readTopic, untilFolded } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { writeDefinitions } from '../harness/written-definitions.ts';
import { interaction, ORDER } from '../processors/intake-fixture.ts';

const CUSTOMERS = 1_500;
const START = Date.UTC(2026, 4, 1);
const WINDOW_MS = 7 * DAY_MS;
/** The shortest that a broker allows by default: so long a killed member keeps its partitions. */
const SETTINGS = { KIZUNA_SESSION_TIMEOUT_MS: '6000', KIZUNA_HEARTBEAT_MS: '500' };

interface Happening {
  readonly customer: number;
  readonly at: number;
  readonly what: Partial<Interaction>;
}

/** Exposures, some to both variants; orders before, within and after the window, some cancelled; late, twice, out of order. */
function happenings(): Happening[] {
  const random = new Random(71);
  const all: Happening[] = [];
  for (let customer = 0; customer < CUSTOMERS; customer++) {
    const exposedAt = START + random.below(5 * 24) * HOUR_MS + customer;
    const add = (at: number, what: Partial<Interaction>): void => void all.push({ customer, at, what });
    const expose = (at: number): void => {
      const variant = random.chance(0.5) ? 'A' : 'B';
      add(at, { type: 'EXPERIMENT_EXPOSED', experiment: { experimentId: 'button', variant } });
    };
    if (random.chance(0.9)) expose(exposedAt);
    if (random.chance(0.2)) expose(exposedAt + random.below(200) * HOUR_MS + 1);
    for (let number = random.below(4); number > 0; number--) {
      const order = {
        ...ORDER,
        orderId: `o-${customer}-${number}`,
        amountMinor: 1 + random.below(5_000_000),
        currency: 'USD',
      };
      const at = exposedAt + random.between(-3, 10) * DAY_MS;
      add(Math.floor(at), { type: 'ORDER_PLACED', order });
      if (random.chance(0.1)) add(Math.floor(at) + HOUR_MS, { type: 'ORDER_CANCELLED', order });
    }
    if (random.chance(0.3)) add(exposedAt + random.below(20) * DAY_MS + 7, { type: 'COMPLAINT' });
  }
  return all;
}

/** In the log: by time, but some hours or days late, and some twice. */
function logged(all: readonly Happening[]): LoggedInteraction[] {
  const random = new Random(72);
  const records = all.flatMap(({ customer, at, what }, index): LoggedInteraction[] => {
    const timestamp = at + (random.chance(0.2) ? random.below(72) * HOUR_MS : 0);
    const ids = { eventId: `e-${index}`, brandId: 'acme', userId: `c-${customer}`, occurredAt: at };
    const record = { key: `c-${customer}`, timestamp, value: interaction({ ...ids, ...what }) };
    return random.chance(0.05) ? [record, { ...record, timestamp: timestamp + HOUR_MS }] : [record];
  });
  return records.toSorted((left, right) => left.timestamp - right.timestamp);
}

/** What a person with a list and a pencil would count. */
function directCount(all: readonly Happening[]): StoredSums {
  const sums: Record<string, { units: number; crossovers: number; metrics: Record<string, [number, bigint, bigint]> }> =
    {};
  for (let customer = 0; customer < CUSTOMERS; customer++) {
    const own = all.filter((each) => each.customer === customer);
    const exposures = own.filter(({ what }) => what.type === 'EXPERIMENT_EXPOSED').toSorted((a, b) => a.at - b.at);
    const first = exposures[0];
    if (first === undefined) continue;
    const variant = first.what.experiment?.variant ?? '';
    const within = (ms: number) => own.filter(({ at }) => at >= first.at && at < first.at + ms);
    const cancelled = new Set(
      own.filter(({ what }) => what.type === 'ORDER_CANCELLED').map(({ what }) => what.order?.orderId),
    );
    const orders = within(WINDOW_MS).filter(
      ({ what }) => what.type === 'ORDER_PLACED' && !cancelled.has(what.order?.orderId),
    );
    const values = {
      ordered: orders.length > 0 ? 1 : 0,
      revenue: orders.reduce((sum, { what }) => sum + (what.order?.amountMinor ?? 0), 0),
      complaints: within(2 * WINDOW_MS).filter(({ what }) => what.type === 'COMPLAINT').length,
    };
    const counts = (sums[variant] ??= { units: 0, crossovers: 0, metrics: {} });
    counts.units += 1;
    if (exposures.some(({ what }) => what.experiment?.variant !== variant)) counts.crossovers += 1;
    for (const [metric, value] of Object.entries(values)) {
      const of = (counts.metrics[metric] ??= [0, 0n, 0n]);
      of[0] += 1;
      of[1] += BigInt(value);
      of[2] += BigInt(value) ** 2n;
    }
  }
  return Object.fromEntries(
    Object.entries(sums).map(([variant, { units, crossovers, metrics }]) => {
      const texts = Object.entries(metrics).map(([id, of]) => `, ${id} ${of.join(' ')}`);
      return [`acme|button|${variant}`, `units ${units} crossovers ${crossovers}${texts.sort().join('')}`];
    }),
  );
}

async function newestResults(place: PipelinePlace): Promise<Map<string, ExperimentResults>> {
  const newest = new Map<string, ExperimentResults>();
  await readTopic(place, 'experiment-results.v1', async (records) => {
    await place.codec.learn(
      'experiment-results.v1',
      records.map(({ value }) => value),
    );
    for (const { key, value } of records) {
      const results = place.codec.decode('experiment-results.v1', value ?? Buffer.alloc(0)) as ExperimentResults;
      newest.set(String(key), results);
    }
  });
  return newest;
}

describeWithServices('experiments', () => {
  test('sums equal a direct count, though the process was killed in the middle', async () => {
    const { variants, metrics } = experiment();
    await using written = await writeDefinitions({}, {}, { button: { variants, metrics } });
    await using place = await pipelinePlace('experiments', {
      time: 'record',
      definitions: written.folder,
      settings: SETTINGS,
    });
    const all = happenings();
    const records = logged(all);
    const half = Math.floor(records.length / 2);
    {
      await using victim = await runKizuna(place.environment);
      await produceInteractions(place, records.slice(0, half));
      const isUnderWay = async (): Promise<true | undefined> => {
        const experiments = (await progressOf(place))[3];
        return (experiments?.committed ?? 0) > 0 ? true : undefined;
      };
      await waitUntil('units folded', isUnderWay, { withinMs: 60_000, failed: victim.failed });
      await produceInteractions(place, records.slice(half));
      await victim.kill();
    }
    await using kizuna = await runKizuna(place.environment);
    await untilFolded(place, records.length, { withinMs: 90_000, failed: kizuna.failed });
    const expected = directCount(all);
    let seen: StoredSums = {};
    const isStored = async (): Promise<true | undefined> => {
      seen = await storedSums(place);
      return JSON.stringify(Object.entries(seen).sort()) === JSON.stringify(Object.entries(expected).sort())
        ? true
        : undefined;
    };
    await waitUntil('the documents', isStored, {
      withinMs: 20_000,
      failed: kizuna.failed,
      seen: () => JSON.stringify([seen, expected], null, 1),
    });
    expect(await kizuna.stop()).toBe(0);
    const results = await newestResults(place);
    expect([...results.keys()].sort()).toEqual(metrics.map(({ id }) => `acme|button|${id}`).sort());
  }, 240_000);
});
