import { describe, expect, test } from 'vitest';
import { parseRetention } from '../../processors/cli/topics.ts';
import { describeApplied, describeDrift, describePlan } from '../../processors/cli/topics-report.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { AS_IN_CATALOG, planTopics, type TopicPlan, type TopicState } from '../../topics/plan.ts';

const ON_ONE = { ...AS_IN_CATALOG, prefix: 'shop.', replication: 1 };
const INTERACTIONS = 'shop.interactions.v1';

/** A cluster of one broker as apply leaves it, then changed by hand. */
function planAfter(change: (topics: Map<string, TopicState>) => void, options = ON_ONE): TopicPlan {
  const created = planTopics(TOPICS, { brokers: 1, topics: new Map() }, ON_ONE).changes;
  const topics = new Map(
    created.flatMap((each): [string, TopicState][] => {
      if (each.kind !== 'create') return [];
      const { topic, partitions, replication, config } = each;
      return [[topic, { partitions, replication, overrides: config }]];
    }),
  );
  change(topics);
  return planTopics(TOPICS, { brokers: 1, topics }, options);
}

function override(topics: Map<string, TopicState>, name: string, value: string): void {
  const state = topics.get(INTERACTIONS);
  if (state !== undefined) topics.set(INTERACTIONS, { ...state, overrides: { ...state.overrides, [name]: value } });
}

const untouched = (): void => undefined;

describe('a plan is told', () => {
  test('as a table of the topics to create, and warnings once for all they are about', () => {
    const text = describePlan(planTopics(TOPICS, { brokers: 1, topics: new Map() }, ON_ONE));
    expect(text).toMatch(/^create +shop\.interactions\.v1 +12 +1 +1 +delete +28 d +6291456$/m);
    expect(text).toMatch(/^create +shop\.churn-risk\.v1 +12 +1 +1 +compact +1048576$/m);
    expect(text.match(/^warning: .*deleted minutes after it was loaded/gm)).toHaveLength(1);
    expect(text.split('\n').at(-1)).toBe(`To do: create ${TOPICS.length}.`);
  });

  test('as each setting from and to', () => {
    const plan = planAfter((topics) => {
      override(topics, 'retention.ms', '3600000');
    });
    expect(describePlan(plan)).toMatch(
      /^configure +shop\.interactions\.v1 +retention\.ms +3600000 \(0\.04 d\) → 2419200000 \(28 d\)$/m,
    );
    expect(describePlan(plan)).toMatch(/^To do: configure 1\.$/m);
    expect(describeApplied({ ...plan, applied: true })).toMatch(/^configured (.|\n)*^Done: configured 1\.$/m);
  });

  test('as nothing when there is nothing to do', () => {
    expect(describePlan(planAfter(untouched))).toMatch(/^No changes: .*$/m);
    expect(describeApplied({ ...planAfter(untouched), applied: true })).toMatch(/^Nothing to do: .*$/m);
  });

  test('with the way out when there are too few brokers, and nothing that was not done', () => {
    const plan = planTopics(TOPICS, { brokers: 1, topics: new Map() }, AS_IN_CATALOG);
    const text = describeApplied({ ...plan, applied: false });
    expect(text).toMatch(/^Nothing was touched: \d+ topics refused\. .*--replication.*$/m);
    expect(text).toContain(`: ${TOPICS.length} topics refused`);
    expect(text).not.toContain('created');
    expect(describePlan(plan)).toContain('--replication');
  });
});

describe('drift', () => {
  test('is nothing right after apply', () => {
    expect(describeDrift(planAfter(untouched))).toMatchObject({ differences: 0 });
  });

  test('is every difference, also those that apply would leave or refuse', () => {
    const { differences, text } = describeDrift(
      planAfter((topics) => {
        override(topics, 'retention.ms', '-1');
        override(topics, 'segment.ms', '1000');
        topics.delete('shop.commands.v1');
        const state = topics.get('shop.churn-risk.v1');
        if (state !== undefined) topics.set('shop.churn-risk.v1', { ...state, partitions: 3, replication: 2 });
      }),
    );
    expect(text.split('\n').map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
      'shop.commands.v1 does not exist',
      'shop.interactions.v1 retention.ms is -1 (for ever), the catalog says 2419200000 (28 d)',
      expect.stringMatching(/^shop\.churn-risk\.v1 has 3 partitions instead of 12/),
      'shop.churn-risk.v1 has replication 2 instead of 1: reassign its replicas',
      'shop.interactions.v1 segment.ms is 1000, the catalog does not know it',
      '5 differences.',
    ]);
    expect(differences).toBe(5);
  });
});

describe('--retention', () => {
  test.each([
    ['90m', 5_400_000],
    ['12h', 43_200_000],
    ['7d', 604_800_000],
    ['forever', -1],
    ['-1', -1],
  ])('%s is %d ms', (text, retentionMs) => {
    expect(parseRetention(text)).toBe(retentionMs);
  });

  test.each(['0d', '7', '7w', 'd', '-2', '1.5d', ''])('refuses "%s"', (text) => {
    expect(() => parseRetention(text)).toThrow('neither a time');
  });
});
