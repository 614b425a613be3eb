import { expect, test } from 'vitest';
import type { Interaction, TouchpointScores } from '../../schemas/types.ts';
import { produceInteractions, type LoggedInteraction } from '../harness/interactions.ts';
import { gaugeBy, scrape } from '../harness/metrics-text.ts';
import { pipelinePlace } from '../harness/pipeline-place.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { followTopic, readTopic } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { interaction } from '../processors/intake-fixture.ts';

const SCORES = 'touchpoint-scores.v1';
const WITHIN_MS = 40_000;
/** No schema has it by itself. */
const MARK = 'kizuna-mark';

/** A score is held back for a minute after the first one: of what was said two minutes ago, that minute is over. */
const AGO_MS = 120_000;

function said(id: string, text: string, changes: Partial<Interaction> = {}): LoggedInteraction {
  const at = Date.now() - AGO_MS;
  const value = interaction({
    ...{ eventId: id, userId: id, occurredAt: at, type: 'REVIEW_POSTED', channel: 'REVIEW', touchpoint: 'room' },
    ...{ score: { metric: 'RATING', value: 3, surveyId: null }, text: `${text} ${MARK}`, ...changes },
  });
  return { key: id, timestamp: at, value };
}

const REMARK = { type: 'SUPPORT_CONTACTED', score: null } as const;

describeWithServices('the feeling of texts, in live time', () => {
  test('is told of each touchpoint in two languages, once each, and the texts themselves go no further', async () => {
    await using place = await pipelinePlace('sentiment', { time: 'live' });
    await using kizuna = await place.start();
    const { failed } = kizuna.pipeline;
    let newest: TouchpointScores | undefined;
    await using follower = await followTopic(place, SCORES, async (records) => {
      await place.codec.learn(
        SCORES,
        records.map(({ value }) => value),
      );
      for (const { value } of records)
        newest = place.codec.decode(SCORES, value ?? Buffer.alloc(0)) as TouchpointScores;
    });
    const texts = [
      said('en-good', 'I love it, wonderful and friendly people, thank you!', { language: 'en' }),
      said('en-bad', 'Terrible. A horrible smell, rude people, I hate it.', REMARK),
      said('ja-good', 'とても満足しています。最高です。また利用したいです', { language: 'ja-JP' }),
      said('ja-bad', '部屋が汚くて最悪でした。二度と泊まりません', REMARK),
      said('unknown-words', 'qwzx', { language: 'en' }),
    ];
    // The last of them a second time.
    await produceInteractions(place, [...texts, ...texts.slice(-1)]);
    const { scores, sentiment } = await waitUntil(
      'every text',
      () =>
        newest?.sentiment?.last24h.withoutEvidence === 1 && newest.sentiment.last24h.texts === 4 ? newest : undefined,
      {
        withinMs: WITHIN_MS,
        failed: Promise.race([failed, follower.failed]),
        seen: () => JSON.stringify(newest?.sentiment?.last24h),
      },
    );
    expect(sentiment?.last24h).toMatchObject({ texts: 4, positive: 2, negative: 2, value: 0 });
    expect(sentiment?.last365d).toEqual(sentiment?.last24h);
    expect(scores).toMatchObject([{ metric: 'RATING', last24h: { answers: 3 } }]);
    const answers = await waitUntil(
      'gauges',
      async () => {
        const { samples, declared } = await scrape(kizuna.url);
        const own = samples.filter(({ labels }) => labels['metric'] === 'SENTIMENT');
        return own.length > 0 ? gaugeBy({ samples: own, declared }, 'kizuna_touchpoint_answers', 'answer') : undefined;
      },
      { withinMs: WITHIN_MS, failed },
    );
    expect(answers).toMatchObject({ satisfied: 2, dissatisfied: 2 });
    const touched: string[] = [];
    let records = 0;
    for (const topic of ['touchpoint-events.v1', SCORES, 'cases.v1']) {
      await readTopic(place, topic, (read) => {
        records += read.length;
        if (read.some(({ value }) => value?.includes(MARK) === true)) touched.push(topic);
      });
    }
    expect(records).toBeGreaterThan(texts.length);
    expect(touched).toEqual([]);
  }, 240_000);
});
