import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Swept } from '../../processors/cli/sweep.ts';
import { runProgram } from '../../processors/cli/program.ts';
import type { SegmentMembershipsChanged } from '../../schemas/types.ts';
import { produceInteractions, type LoggedInteraction } from '../harness/interactions.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { kizuna, RecordingTerminal, type CommandEnd } from '../harness/recording-terminal.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { readTopic, topicRanges, untilFolded } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { interaction } from '../processors/intake-fixture.ts';

const WITHIN = { withinMs: 60_000 };
const DAY_MS = 86_400_000;
const VISIT_AT = Date.UTC(1997, 2, 1, 15);
const SILENT_AT = VISIT_AT + 30 * DAY_MS;
const iso = (time: number): string => new Date(time).toISOString();

const visit = (user: string, at: number): LoggedInteraction => ({
  key: user,
  timestamp: at,
  value: interaction({ eventId: `${user}-${at}`, userId: user, occurredAt: at }),
});

describeWithServices('kizuna on history', () => {
  let place: PipelinePlace;
  const type = (line: string): Promise<CommandEnd> => kizuna(line, place.environment);

  /** `kizuna run` in this process; answers when it serves. */
  const run = async (
    settings: Record<string, string> = {},
  ): Promise<{ terminal: RecordingTerminal; end: Promise<number> }> => {
    const terminal = new RecordingTerminal({ ...place.environment, ...settings });
    const end = runProgram(['run'], terminal);
    await waitUntil('a running pipeline', () => terminal.logged('running'), { ...WITHIN, seen: () => terminal.stderr });
    return { terminal, end };
  };

  beforeEach(async () => {
    place = await pipelinePlace('cli-sweep', { time: 'record', partitions: 2 });
  });
  afterEach(async () => {
    await place.cleanup();
  });

  test('lets time pass on demand, once and at the exact deadlines, and only alone', async () => {
    const users = ['ada', 'bob', 'eve'];
    await produceInteractions(
      place,
      users.map((user) => visit(user, VISIT_AT)),
    );
    const { terminal, end } = await run();
    await untilFolded(place, users.length, WITHIN);

    const inCompany = await type(`sweep --until ${iso(SILENT_AT)}`);
    expect(inCompany.code).toBe(1);
    expect(inCompany.stderr).toMatch(/^The group kizuna\.customer\.v1 has 1 other member/);
    terminal.signal('SIGTERM');
    expect(await end).toBe(0);

    const before = await membershipChanges(place);
    expect((await type(`sweep --until ${iso(SILENT_AT - 1)}`)).code).toBe(0);
    const silent = (changes: readonly SegmentMembershipsChanged[]): SegmentMembershipsChanged[] =>
      changes.filter((each) => each.changes.some(({ segmentId }) => segmentId === 'silent-30-days'));
    expect(silent(await membershipChanges(place))).toEqual([]);
    const swept = await type(`sweep --until ${iso(SILENT_AT)} --json`);
    expect(swept.code).toBe(0);
    expect(JSON.parse(swept.stdout)).toMatchObject({
      until: iso(SILENT_AT),
      swept: [
        { processor: 'customer', partitions: 2, folded: 0, published: { 'segment-memberships.v1': 3 } },
        { processor: 'touchpoint', partitions: 2, folded: 0, published: {} },
        { processor: 'brand', partitions: 2 },
        { processor: 'experiment', partitions: 2, folded: 0, published: {} },
      ],
    });
    const after = await membershipChanges(place);
    const positions = await positionsOf(place);
    expect(after.length).toBeGreaterThan(before.length);
    const entered = silent(after);
    expect(entered.map(({ customerId }) => customerId).sort()).toEqual(users.map((user) => `u:${user}`));
    for (const { occurredAt, cause } of entered) {
      expect({ occurredAt: Number(occurredAt), cause }).toEqual({ occurredAt: SILENT_AT, cause: 'TIME' });
    }

    // The first sweep committed what it had published as it left: nothing is sent again, and nothing is new.
    const again = await type(`sweep --until ${iso(SILENT_AT)} --json`);
    const [{ published, sentAgain }] = (JSON.parse(again.stdout) as { swept: [Swept] }).swept;
    expect(sentAgain).toBe(0);
    expect(published).toEqual({});
    expect(await positionsOf(place)).toEqual(positions);
  });

  test('refuses while records wait upstream that precede the deadlines, and catches up with its own input', async () => {
    await produceInteractions(place, [visit('ada', VISIT_AT)]);
    const early = await type(`sweep --until ${iso(VISIT_AT)}`);
    expect(early.code).toBe(1);
    expect(early.stderr).toMatch(/^interactions\.v1 holds 1 record.* that intake has not folded/);

    const intake = new RecordingTerminal(place.environment);
    const end = runProgram(['run', 'intake'], intake);
    await waitUntil(
      'the record handed on',
      async () => ((await topicRanges(place, 'customer-events.v1')).some((range) => range.end > 0) ? true : undefined),
      { ...WITHIN, seen: () => intake.stderr },
    );
    intake.signal('SIGTERM');
    expect(await end).toBe(0);
    const swept = await type(`sweep --until ${iso(SILENT_AT)} --json`);
    expect(JSON.parse(swept.stdout)).toMatchObject({
      swept: [{ folded: 1 }, { folded: 0 }, { processor: 'brand' }, { folded: 0 }],
    });
    expect((await membershipChanges(place)).at(-1)?.members).toContain('silent-30-days');
  });

  test('stops a run that refuses most of its records, before it shovels them away', async () => {
    const rubbish = Array.from({ length: 1_500 }, (_, at) => ({
      topic: 'interactions.v1',
      key: Buffer.from('one'),
      value: Buffer.from(`rubbish ${at}`),
      timestamp: VISIT_AT,
      headers: {},
    }));
    await place.emitter.send(rubbish);
    const terminal = new RecordingTerminal({
      ...place.environment,
      KIZUNA_STOP_WHEN_REFUSED: 'true',
      KIZUNA_STOP_VISIBLE_MS: '0',
    });
    expect(await runProgram(['run', 'intake', '--json'], terminal)).toBe(1);
    expect(JSON.parse(terminal.stdout)).toMatchObject({ error: { code: 'mostly_refused', retriable: false } });
    expect(terminal.logged('failed')).toMatchObject({ error: { code: 'mostly_refused' } });
    const letters = await topicRanges(place, 'interactions.v1.kizuna.intake.v1.dlq');
    expect(letters.reduce((sum, { end }) => sum + end, 0)).toBeLessThan(1_000);
  });
});

/** In order of each customer; of several, in any. */
async function membershipChanges(place: PipelinePlace): Promise<SegmentMembershipsChanged[]> {
  const topic = 'segment-memberships.v1';
  const changes: SegmentMembershipsChanged[] = [];
  await readTopic(place, topic, async (records) => {
    await place.codec.learn(
      topic,
      records.map(({ value }) => value),
    );
    for (const { value } of records) {
      if (value !== null) changes.push(place.codec.decode(topic, value) as SegmentMembershipsChanged);
    }
  });
  return changes;
}

async function positionsOf(place: PipelinePlace): Promise<Set<string>> {
  const positions = new Set<string>();
  await readTopic(place, 'segment-memberships.v1', (records) => {
    for (const { headers } of records) positions.add(String(headers['position']));
  });
  return positions;
}
