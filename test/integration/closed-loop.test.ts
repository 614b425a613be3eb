import { expect, test } from 'vitest';
import type { CaseChanged, Command } from '../../schemas/types.ts';
import { produceInteractions } from '../harness/interactions.ts';
import { gaugeBy, scrape } from '../harness/metrics-text.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { followTopic } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { interaction } from '../processors/intake-fixture.ts';

const COMMANDS = 'commands.v1';
const CASES = 'cases.v1';
const HOUR_MS = 3_600_000;
const DUE_MS = 72 * HOUR_MS;
const WITHIN_MS = 40_000;

async function answer(place: PipelinePlace, at: number, userId: string, value: number, channel: 'CHAT' | 'SURVEY') {
  const score = { metric: 'NPS', value, surveyId: null } as const;
  const given = {
    eventId: `${userId}-${at}`,
    userId,
    occurredAt: at,
    type: 'SURVEY_ANSWERED',
    score,
    channel,
  } as const;
  await produceInteractions(place, [
    { key: userId, timestamp: at, value: interaction({ ...given, touchpoint: 'support' }) },
  ]);
}

async function command(place: PipelinePlace, at: number, kind: Command['kind'], target: string): Promise<void> {
  const order: Command = {
    commandId: `${kind}-${at}`,
    brandId: 'demo',
    kind,
    issuedAt: at,
    issuedBy: 'mika',
    subject: null,
    target,
    reason: null,
  };
  const value = place.codec.encode(COMMANDS, order);
  await place.emitter.send([{ topic: COMMANDS, key: Buffer.from('mika'), value, timestamp: at, headers: {} }]);
}

describeWithServices('the closed loop, in live time', () => {
  test('a case is opened, acknowledged, resolved and verified by records, and overdue by nothing but time', async () => {
    await using place = await pipelinePlace('closed-loop', { time: 'live' });
    await using kizuna = await place.start();
    const { failed } = kizuna.pipeline;
    const steps: CaseChanged[] = [];
    await using follower = await followTopic(place, CASES, async (records) => {
      await place.codec.learn(
        CASES,
        records.map(({ value }) => value),
      );
      for (const { value } of records) steps.push(place.codec.decode(CASES, value ?? Buffer.alloc(0)) as CaseChanged);
    });
    const step = (caseId: string, change: CaseChanged['change']): Promise<CaseChanged> =>
      waitUntil(`${caseId} ${change}`, () => steps.find((each) => each.caseId === caseId && each.change === change), {
        withinMs: WITHIN_MS,
        failed: Promise.race([failed, follower.failed]),
        seen: () => steps.map((each) => `${each.caseId} ${each.change}`).join(', '),
      });

    // Answered so long ago that its time is up while this test looks on.
    const soon = Date.now() + 4_000 - DUE_MS;
    await answer(place, soon, 'ken', 0, 'SURVEY');
    await answer(place, Date.now(), 'aya', 2, 'CHAT');
    const { caseId } = await step('support|u:aya|1', 'OPENED');
    await command(place, Date.now(), 'CASE_ACKNOWLEDGE', caseId);
    await step(caseId, 'ACKNOWLEDGED');
    await command(place, Date.now(), 'CASE_RESOLVE', caseId);
    const resolved = await step(caseId, 'RESOLVED');
    // The next answer, on another channel, is what ends it.
    await answer(place, (resolved.resolvedAt ?? 0) + 1_000, 'aya', 9, 'SURVEY');
    await step(caseId, 'VERIFIED');
    const overdue = await step('support|u:ken|1', 'OVERDUE');
    expect(overdue).toMatchObject({ cause: 'TIME', occurredAt: soon + DUE_MS, overdue: true, state: 'OPEN' });
    expect(steps.map(({ change }) => change).toSorted()).toEqual(
      ['OPENED', 'OPENED', 'ACKNOWLEDGED', 'RESOLVED', 'VERIFIED', 'OVERDUE'].toSorted(),
    );
    const gauges = await waitUntil(
      'gauges',
      async () => {
        const shown = await scrape(kizuna.url);
        const cases = gaugeBy(shown, 'kizuna_cases', 'case_state');
        const late = gaugeBy(shown, 'kizuna_cases_overdue', 'touchpoint');
        return late['support'] === 1 && cases['VERIFIED'] === 1 ? { cases, late } : undefined;
      },
      { withinMs: WITHIN_MS, failed },
    );
    expect(gauges.cases).toMatchObject({ OPEN: 1, VERIFIED: 1 });
  }, 180_000);
});
