import { expect, test } from 'vitest';
import type { SegmentMembershipsChanged } from '../../schemas/types.ts';
import { parsePosition } from '../../processors/runtime/position.ts';
import { produceInteractions } from '../harness/interactions.ts';
import { runKizuna, type KizunaProcess } from '../harness/kizuna-process.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { kizuna } from '../harness/recording-terminal.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { followTopic, progressOf, type Follower } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { writeDefinitions } from '../harness/written-definitions.ts';
import { interaction } from '../processors/intake-fixture.ts';

const TOPIC = 'segment-memberships.v1';
const CUSTOMERS = 400;
const SOON = { withinMs: 60_000 };

/** What was said of each customer, in order, each position once: `<hash of the definitions> <cause>`. */
class Told {
  readonly byCustomer = new Map<string, SegmentMembershipsChanged[]>();
  readonly #seen = new Set<string>();

  add(position: string, change: SegmentMembershipsChanged): void {
    if (this.#seen.has(position)) return;
    this.#seen.add(position);
    this.byCustomer.set(change.customerId, [...(this.byCustomer.get(change.customerId) ?? []), change]);
  }

  /** How many customers are in exactly these segments, by what was told last. */
  inSegments(members: string): number {
    return [...this.byCustomer.values()].filter((changes) => changes.at(-1)?.members.join() === members).length;
  }

  /** The sets that evaluated each customer, one after the other. */
  runs(): Set<string> {
    return new Set(
      [...this.byCustomer.values()].map((changes) =>
        changes
          .map(({ definitionsVersion }) => definitionsVersion)
          .filter((hash, index, all) => hash !== all[index - 1])
          .join(' '),
      ),
    );
  }
}

async function follow(place: PipelinePlace, told: Told): Promise<Follower> {
  return followTopic(place, TOPIC, async (records) => {
    const values = records.map(({ value }) => value);
    await place.codec.learn(TOPIC, values);
    for (const { value, headers } of records) {
      const position = parsePosition(headers['position']);
      const change = place.codec.decode(TOPIC, value ?? Buffer.alloc(0)) as SegmentMembershipsChanged;
      told.add(`${position?.source}:${position?.n}.${position?.index}`, change);
    }
  });
}

interface Traffic extends AsyncDisposable {
  readonly failed: Promise<never>;
  /** Answers how many interactions were sent. */
  stop(): Promise<number>;
}

/** So much is always there to be folded, whoever works; no more, for two processes on a small machine. */
const AHEAD = CUSTOMERS;

/** Everybody does something again and again, until it is stopped. */
function startTraffic(place: PipelinePlace): Traffic {
  let isStopped = false;
  const run = async (): Promise<number> => {
    let sent = 0;
    while (!isStopped) {
      const at = Date.now();
      const views = Array.from({ length: 40 }, (_each, index) => {
        const userId = `c${(sent + index) % CUSTOMERS}`;
        const value = { eventId: `e-${sent + index}`, brandId: 'acme', userId, occurredAt: at };
        return { key: userId, timestamp: at, value: interaction({ ...value, type: 'PAGE_VIEW' }) };
      });
      await produceInteractions(place, views);
      sent += views.length;
      const isTaken = async (): Promise<true | undefined> =>
        isStopped || ((await progressOf(place))[0]?.committed ?? 0) > sent - AHEAD ? true : undefined;
      await waitUntil('the traffic is taken', isTaken, SOON);
    }
    return sent;
  };
  const sending = run();
  const stop = (): Promise<number> => {
    isStopped = true;
    return sending;
  };
  const failed = sending.then(() => new Promise<never>(() => undefined));
  failed.catch(() => undefined);
  return { failed, stop, [Symbol.asyncDispose]: async () => void (await stop().catch(() => 0)) };
}

async function readyz({ url }: KizunaProcess): Promise<{ status: number; conditions: Record<string, boolean> }> {
  const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
  return { status: response.status, ...((await response.json()) as { conditions: Record<string, boolean> }) };
}

async function livez({ url }: KizunaProcess): Promise<number> {
  return (await fetch(`${url}/livez`, { signal: AbortSignal.timeout(5_000) })).status;
}

describeWithServices('two processes with different definitions', () => {
  test('never take turns with a customer: the newer set wins at once, and going back is a command', async () => {
    await using first = await writeDefinitions({
      any: { identified: true },
    });
    await using second = await writeDefinitions({ everybody: { identified: true } });
    await using place = await pipelinePlace('rolling', { time: 'live', partitions: 4, definitions: first.folder });
    const told = new Told();
    await using old = await runKizuna(place.environment);
    await using follower = await follow(place, told);
    await using traffic = startTraffic(place);
    const during = { ...SOON, failed: Promise.race([old.failed, follower.failed, traffic.failed]) };
    const all = (members: string) => () => (told.inSegments(members) === CUSTOMERS ? true : undefined);
    await waitUntil('everybody in the old segment', all('any'), during);
    const one = (await readyz(old)).conditions;
    expect(one).toMatchObject({ definitions: true, joined: true });

    // The rolling change: a process with other files comes beside the one with the old.
    const newer = { ...place.environment, KIZUNA_DEFINITIONS: second.folder };
    await using next = await runKizuna(newer);
    const both = { ...SOON, failed: Promise.race([during.failed, next.failed]) };
    await waitUntil('everybody in the new segment', all('everybody'), both);
    const isWaiting = (which: KizunaProcess) => async (): Promise<true | undefined> => {
      const { status, conditions } = await readyz(which);
      return status === 503 && conditions['definitions'] === false ? true : undefined;
    };
    await waitUntil('the old one waits', isWaiting(old), both);
    await waitUntil('the new one is ready', async () => ((await readyz(next)).status === 200 ? true : undefined), both);
    expect([await livez(old), await livez(next)]).toEqual([200, 200]);

    const { stdout: listed } = await kizuna('definitions list --json', newer);
    const { active, generations, hash } = JSON.parse(listed) as {
      active: number;
      hash: string;
      generations: { number: number; hash: string }[];
    };
    expect([active, generations.map(({ number }) => number), generations[1]?.hash]).toEqual([2, [1, 2], hash]);
    const before = generations[0]?.hash ?? '';
    // Nobody was evaluated by the old set once the new one had been.
    expect(told.runs()).toEqual(new Set([`${before} ${hash}`]));

    // Going back: first told, then done. The process with the old files is still there.
    const plan = await kizuna('definitions activate 1', newer);
    expect(plan).toMatchObject({ code: 2, stdout: expect.stringMatching(/^Would take the set/) as string });
    const done = await kizuna('definitions activate 1 --yes', newer);
    expect(done).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/as generation 3, after generation 2/) as string,
    });
    expect(await kizuna('definitions activate 1 --yes', newer)).toMatchObject({ code: 0 });
    await waitUntil('everybody back in the old segment', all('any'), both);
    await waitUntil('the new one waits', isWaiting(next), both);
    await waitUntil('the old one is ready', async () => ((await readyz(old)).status === 200 ? true : undefined), both);
    expect(await traffic.stop()).toBeGreaterThan(CUSTOMERS);
    expect(told.runs()).toEqual(new Set([`${before} ${hash} ${before}`]));
    for (const changes of told.byCustomer.values()) {
      expect(changes.map(({ cause }) => cause)).toEqual(['EVENT', 'DEFINITION', 'DEFINITION']);
    }
    const sweep = await kizuna(`sweep --until ${new Date(Date.now() - 60_000).toISOString()}`, newer);
    expect(sweep).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Generation 3 of definitions is active/) as string,
    });
    expect(await kizuna('definitions activate 9', newer)).toMatchObject({ code: 2 });
    expect([await old.stop(), await next.stop()]).toEqual([0, 0]);
  }, 300_000);
});
