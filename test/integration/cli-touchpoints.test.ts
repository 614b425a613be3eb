import { expect, test } from 'vitest';
import type { Interaction } from '../../schemas/types.ts';
import { produceInteractions } from '../harness/interactions.ts';
import { pipelinePlace } from '../harness/pipeline-place.ts';
import { kizuna } from '../harness/recording-terminal.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { interaction } from '../processors/intake-fixture.ts';

const AT = Date.UTC(2026, 2, 10, 9, 30);

const answered = (index: number, touchpoint: string, channel: Interaction['channel'], value: number) => ({
  key: `${touchpoint}-${index}`,
  timestamp: AT,
  value: interaction({
    ...{ eventId: `${touchpoint}-${index}`, brandId: 'demo', userId: `${touchpoint}-${index}`, occurredAt: AT },
    ...{ type: 'SURVEY_ANSWERED', touchpoint, channel, score: { metric: 'CSAT', value, surveyId: null } },
  }),
});

const MANY = Array.from({ length: 40 }, (_, index) => index);
const ANSWERS = [
  ...MANY.map((index) => answered(index, 'delivery', index % 2 === 0 ? 'SURVEY' : 'APP', index % 4 === 0 ? 9 : 2)),
  ...MANY.map((index) => answered(index, 'check|out', 'WEB', index % 8 === 0 ? 2 : 9)),
  answered(0, 'returns', 'WEB', 1),
];

describeWithServices('the touchpoints of a brand', () => {
  test('are ranked by what hurts, from the stored documents, all channels of one together', async () => {
    await using place = await pipelinePlace('cli-touchpoints', { time: 'record', partitions: 2 });
    await produceInteractions(place, ANSWERS);
    const type = (line: string) => kizuna(`touchpoints rank --brand ${line}`, place.environment);
    await using running = await place.start();
    const stored = async () => {
      const { stdout } = await type('demo --at 2026-03-10T10:00:00Z --json');
      const { touchpoints = [] } = JSON.parse(stdout || '{}') as { touchpoints?: { answers: number }[] };
      return touchpoints.reduce((total, { answers }) => total + answers, 0) === ANSWERS.length ? stdout : undefined;
    };
    const json = await waitUntil('every answer stored', stored, {
      withinMs: 60_000,
      failed: running.pipeline.failed,
    });
    expect(JSON.parse(json)).toMatchObject({
      ...{ brand: 'demo', window: '30d', at: '2026-03-10T10:00:00.000Z', falseDiscoveryRate: 0.05 },
      touchpoints: [
        { touchpoint: 'delivery', answers: 40, dissatisfied: 30, isSignificant: true },
        { touchpoint: 'returns', answers: 1, dissatisfied: 1, isSignificant: false },
        { touchpoint: 'check|out', answers: 40, dissatisfied: 5, isSignificant: false },
      ],
    });
    const { code, stdout } = await type('demo --window 24h --at 2026-03-10T10:00:00Z');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^delivery +40 +30 +17\.8 +75\.0 % .* hurts$/m);
    expect((await type('demo --window 24h --at 2026-04-10T10:00:00Z')).stdout).toMatch(/: no answers\n$/);
    expect(await type('demo --at 2026-03-01T00:00:00Z')).toMatchObject({ code: 2 });
    expect(await type('acme')).toMatchObject({ code: 1, stderr: 'There is no touchpoint of brand acme.\n' });
  });
});
