import { describe, expect, it } from 'vitest';
import { deadLetterTopic, topicOf, TOPICS, type Topic } from '../../topics/catalog.ts';
import { catalogFaults } from '../../topics/validate.ts';

const KNOWN = {
  groups: new Set(TOPICS.flatMap(({ writers, readers }) => [...writers, ...readers])),
  schemas: new Set(TOPICS.flatMap(({ schema }) => (schema === null ? [] : [schema]))),
};

/** The faults that appear when one row is changed so. */
function faultsWith(name: string, change: Partial<Topic>): string[] {
  return catalogFaults(
    TOPICS.map((topic: Topic) => (topic.name === name ? { ...topic, ...change } : topic)),
    KNOWN,
  );
}

describe('the topic catalog', () => {
  it('is sound', () => {
    expect(catalogFaults(TOPICS, KNOWN)).toEqual([]);
  });

  it('finds a topic by name and refuses any other', () => {
    expect(topicOf('churn-risk.v1').schema).toBe('ChurnRiskChanged');
    expect(() => topicOf('churn-risk')).toThrow('no topic churn-risk');
  });

  it('names dead letters after topic and group', () => {
    expect(deadLetterTopic('interactions.v1', 'kizuna.intake.v1')).toBe('interactions.v1.kizuna.intake.v1.dlq');
  });

  it.each<[string, Partial<Topic>, string]>([
    ['churn-risk.v1', { name: 'ChurnRisk' }, 'ChurnRisk: is not named <stream>.v<major>'],
    ['churn-risk.v1', { name: 'churn-risk' }, 'churn-risk: is not named <stream>.v<major>'],
    ['churn-risk.v1', { name: 'customer-traits.v1' }, 'customer-traits.v1: is listed twice'],
    ['churn-risk.v1', { writers: ['kizuna.churn.v1'] }, "churn-risk.v1: kizuna.churn.v1 is no processor's group"],
    ['churn-risk.v1', { writers: ['churn'] }, 'churn-risk.v1: churn is not a group name kizuna.<processor>.v<n>'],
    ['churn-risk.v1', { writers: [] }, 'churn-risk.v1: nobody writes it'],
    ['churn-risk.v1', { schema: 'Missing' }, 'churn-risk.v1: schemas/Missing.avsc does not exist'],
    ['churn-risk.v1', { compatibility: null }, 'churn-risk.v1: schema and compatibility go together'],
    [
      'churn-risk.v1',
      { compatibility: 'BACKWARD_TRANSITIVE' },
      'churn-risk.v1: an output needs FULL_TRANSITIVE: its readers are not ours to upgrade',
    ],
    ['churn-risk.v1', { key: null }, 'churn-risk.v1: a compacted topic needs a key'],
    ['churn-risk.v1', { doc: '' }, 'churn-risk.v1: has no doc'],
    ['churn-risk.v1', { partitions: 0 }, 'churn-risk.v1: needs at least one partition'],
    ['churn-risk.v1', { minInsyncReplicas: 4 }, 'churn-risk.v1: minInsyncReplicas must be 1 to replication'],
    [
      'churn-risk.v1',
      { readers: ['kizuna.intake.v1'] },
      'churn-risk.v1: kizuna.intake.v1 reads it, but churn-risk.v1.kizuna.intake.v1.dlq is missing',
    ],
    ['customer-events.v1', { readers: [] }, 'customer-events.v1: nobody reads it'],
    ['interactions.v1', { writers: ['kizuna.intake.v1'] }, 'interactions.v1: an input is written from outside only'],
    ['interactions.v1', { retentionMs: 0 }, 'interactions.v1: retentionMs must be positive, or -1 for ever'],
    [
      'customer-events.v1',
      { retentionMs: 1_000 },
      'customer-events.v1: an internal topic is purged behind its readers, never deleted by time',
    ],
    [
      'interactions.v1.kizuna.intake.v1.dlq',
      { writers: ['kizuna.customer.v1'] },
      'interactions.v1.kizuna.intake.v1.dlq: is not named <topic>.<group>.dlq',
    ],
    [
      'interactions.v1.kizuna.intake.v1.dlq',
      { schema: 'Interaction', compatibility: 'BACKWARD_TRANSITIVE' },
      'interactions.v1.kizuna.intake.v1.dlq: a dead letter keeps raw bytes, so it has no schema',
    ],
  ])('%s with %j is refused', (name, change, fault) => {
    expect(faultsWith(name, change)).toContain(fault);
  });
});
