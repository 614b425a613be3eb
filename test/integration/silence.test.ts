import { expect, test } from 'vitest';
import { churnModelOf } from '../../processors/customer/churn-model.ts';
import { churnBand, churnProbability } from '../../processors/customer/churn-risk.ts';
import type { TriggerChanged } from '../../schemas/types.ts';
import { purchaseInteraction } from '../harness/cdnow.ts';
import { produceInteractions, type LoggedInteraction } from '../harness/interactions.ts';
import { accountsOf, scrape } from '../harness/metrics-text.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { followTopic, untilFolded } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { writeDefinitions } from '../harness/written-definitions.ts';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** How far ahead of the loading a deadline lies: the pipeline must have folded everything by then. */
const AHEAD_MS = 4_000;
/** Time is let pass a second behind, once a second; the rest is the machine. */
const SECONDS_AFTER_MS = 10_000;

interface Change {
  readonly customerId: string;
  readonly occurredAt: number;
  readonly cause: string;
  readonly changes: readonly { readonly segmentId: string; readonly change: string }[];
}

interface Arrival extends Change {
  readonly timestamp: number;
  /** By the pipeline's clock. */
  readonly arrivedAt: number;
}

/** One purchase of customer `u`, logged when it happened. */
function purchase(customer: string, line: number, at: number): LoggedInteraction {
  return { key: customer, timestamp: at, value: purchaseInteraction({ customer, line, at, cents: 100 }) };
}

interface BySilence {
  readonly arrivals: Arrival[];
  readonly triggers: TriggerChanged[];
}

/** Loads the interactions into a live pipeline, stops producing, and waits for so many changes and triggers by silence. */
async function changesBySilence(
  place: PipelinePlace,
  load: () => readonly LoggedInteraction[],
  count: { readonly arrivals: number; readonly triggers: number },
): Promise<BySilence> {
  const arrivals: Arrival[] = [];
  const triggers: TriggerChanged[] = [];
  await using kizuna = await place.start();
  const { failed, members } = kizuna.pipeline;
  await waitUntil('joined', () => (members.every(({ joined }) => joined) ? true : undefined), {
    withinMs: 20_000,
    failed,
  });
  await using follower = await followTopic(place, 'segment-memberships.v1', async (records) => {
    const arrivedAt = Date.now();
    await place.codec.learn(
      'segment-memberships.v1',
      records.map(({ value }) => value),
    );
    for (const { value, timestamp } of records) {
      const change = place.codec.decode('segment-memberships.v1', value ?? Buffer.alloc(0)) as Change;
      if (change.cause === 'TIME') arrivals.push({ ...change, timestamp, arrivedAt });
    }
  });
  await using told = await followTopic(place, 'triggers.v1', async (records) => {
    await place.codec.learn(
      'triggers.v1',
      records.map(({ value }) => value),
    );
    for (const { value } of records)
      triggers.push(place.codec.decode('triggers.v1', value ?? Buffer.alloc(0)) as TriggerChanged);
  });
  const interactions = load();
  await produceInteractions(place, interactions);
  await untilFolded(place, interactions.length, { withinMs: 20_000, failed });
  const isThere = () => arrivals.length >= count.arrivals && triggers.length >= count.triggers;
  await waitUntil('every change by silence', () => (isThere() ? true : undefined), {
    withinMs: AHEAD_MS + 20_000,
    failed: Promise.race([failed, follower.failed, told.failed]),
    seen: () => `${arrivals.length} changes, ${triggers.length} triggers`,
  });
  const accounts = { consumed: interactions.length, outcomes: { applied: interactions.length }, missing: 0 };
  expect(accountsOf(await scrape(kizuna.url))).toEqual({
    intake: accounts,
    customer: accounts,
    touchpoint: { consumed: 0, outcomes: {}, missing: 0 },
    brand: expect.objectContaining({ missing: 0 }) as unknown,
    experiment: { consumed: 0, outcomes: {}, missing: 0 },
  });
  return { arrivals, triggers };
}

function tellDelays(what: string, arrivals: readonly Arrival[]): void {
  const delays = arrivals.map(({ arrivedAt, occurredAt }) => arrivedAt - occurredAt).sort((a, b) => a - b);
  const middle = delays[Math.floor(delays.length / 2)] ?? 0;
  process.stdout.write(
    `${what}: ${delays.length} by silence, ${delays[0]} to ${delays.at(-1)} ms late, median ${middle}\n`,
  );
  for (const delay of delays) expect(delay).toBeGreaterThanOrEqual(0);
  expect(delays.at(-1)).toBeLessThan(SECONDS_AFTER_MS);
}

const byCustomer = (a: Pick<Change, 'customerId'>, b: Pick<Change, 'customerId'>): number =>
  a.customerId < b.customerId ? -1 : 1;

describeWithServices('live, with the producer stopped', () => {
  test('memberships end by age and by churn risk, and triggers fire, seconds after their exact deadline', async () => {
    const model = {
      model: 'mbg-nbd',
      horizonDays: 90,
      parameters: { r: 0.9, alpha: 5, a: 0.7, b: 2.5 },
      fittedAt: '2026-01-01T00:00:00Z',
      quality: {},
    } as const;
    const unused = { brandId: 'cdnow', version: '', file: '', baseline: { probability: 0, x: 1, tx: 5, T: 10 } };
    const compiled = churnModelOf({ ...model, ...unused });
    const risk = (ageMs: number): number =>
      churnProbability(compiled, { x: 0, firstOrderAt: 0, lastOrderAt: 0 }, ageMs);
    const bandAge = firstAge((ageMs) => churnBand(risk(ageMs)) === 'HIGH');
    const baseline = {
      probability: churnProbability(compiled, { x: 1, firstOrderAt: 0, lastOrderAt: 5 * WEEK_MS }, 10 * WEEK_MS),
      x: 1,
      tx: 5,
      T: 10,
    };
    await using written = await writeDefinitions(
      { fresh: { 'ages.orders': { $lt: 1 } }, likely: { 'churn.band': { $in: ['LOW', 'MEDIUM'] } } },
      { cdnow: { ...model, baseline } },
      {},
      { cdnow: { win_back: { afterDays: 1 }, post_purchase: null, milestone: null } },
    );
    await using place = await pipelinePlace('silence', { time: 'live', definitions: written.folder });
    const deadlines = new Map<string, [number, string]>();
    const ordered = new Map<string, number>();
    const load = (): LoggedInteraction[] => {
      const first = Date.now() + AHEAD_MS;
      return Array.from({ length: 40 }, (_, line) => {
        const customer = `c-${String(line).padStart(3, '0')}`;
        const deadline = first + line * 37;
        const [age, segment] = line % 2 === 0 ? [DAY_MS, 'fresh'] : [bandAge, 'likely'];
        deadlines.set(`u:${customer}`, [deadline, segment]);
        ordered.set(`u:${customer}`, deadline - age);
        return purchase(customer, line, deadline - age);
      });
    };
    // Those who leave by their churn risk bought weeks ago, and left `fresh` a day after that.
    const { arrivals, triggers } = await changesBySilence(place, load, { arrivals: 60, triggers: 40 });
    const own = arrivals.filter(({ customerId, changes }) => changes[0]?.segmentId === deadlines.get(customerId)?.[1]);
    expect(
      own
        .toSorted(byCustomer)
        .map(({ customerId, occurredAt, timestamp, changes }) => [customerId, occurredAt, timestamp, changes]),
    ).toEqual(
      [...deadlines].map(([customer, [deadline, segmentId]]) => [
        customer,
        deadline,
        deadline,
        [expect.objectContaining({ segmentId, change: 'EXITED' })],
      ]),
    );
    expect(
      triggers
        .toSorted(byCustomer)
        .map(({ customerId, occurredAt, cause, trigger, causeAt }) => [
          customerId,
          occurredAt,
          cause,
          trigger,
          causeAt,
        ]),
    ).toEqual([...ordered].map(([customer, at]) => [customer, at + DAY_MS, 'TIME', 'win_back', at]));
    tellDelays('ages and churn bands', own);
  });
});

/** The smallest age in ms at which `reached` becomes true, once and for good. */
function firstAge(reached: (ageMs: number) => boolean): number {
  let [low, high] = [0, 1000 * WEEK_MS];
  if (reached(low) || !reached(high)) throw new Error('there is no such age');
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (reached(middle)) high = middle;
    else low = middle;
  }
  return high;
}
