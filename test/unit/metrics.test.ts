import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import type { ChurnModelDefinition } from '../../processors/core/definitions.ts';
import { createMetrics } from '../../processors/runtime/metrics.ts';
import type { PartitionGauges } from '../../processors/runtime/meter.ts';
import { churnModel } from '../processors/customer-fixture.ts';

function setUp() {
  const metrics = createMetrics(new Registry(), '0.1.0');
  const lines = async (part: string): Promise<string[]> =>
    (await metrics.render()).body.split('\n').filter((line) => !line.startsWith('#') && line.includes(part));
  return { ...metrics, lines };
}

const gauges = (totals: PartitionGauges['totals'] = [], more: Partial<PartitionGauges> = {}): PartitionGauges => ({
  lagRecords: 0,
  lagSeconds: 0,
  dueOldestSeconds: 0,
  totals,
  ...more,
});
const members = (segment: string, value: number, brand = 'demo') => ({
  name: 'segment_members',
  labels: { brand, segment },
  value,
});
const at = (partition: number) => ({ topic: 'customer-events.v1', partition });

describe('the meter', () => {
  test('counts records so that the outcomes add up to what was consumed', async () => {
    const { meter, lines } = setUp();
    meter.consumed('customer', 10);
    meter.outcome('customer', 'applied', '', 7);
    meter.outcome('customer', 'skipped', 'duplicate_event', 2);
    meter.outcome('customer', 'replayed', '', 1);
    expect(await lines('kizuna_records_consumed_total')).toEqual([
      'kizuna_records_consumed_total{processor="customer"} 10',
    ]);
    const values = (await lines('kizuna_records_total')).map((line) => Number(line.split(' ').at(-1)));
    expect(values.reduce((sum, value) => sum + value, 0)).toBe(10);
    expect(await lines('duplicate_event')).toEqual([
      'kizuna_records_total{processor="customer",outcome="skipped",reason="duplicate_event"} 2',
    ]);
  });

  test('shows every count of a processor at 0 before the first record, so that the first is a rise', async () => {
    const { meter, startAtZero, lines } = setUp();
    startAtZero([{ name: 'intake', inputs: ['interactions.v1'] }]);
    const zeros = await lines('kizuna_records');
    expect(zeros).toContain('kizuna_records_consumed_total{processor="intake"} 0');
    expect(zeros).toContain('kizuna_records_total{processor="intake",outcome="applied",reason=""} 0');
    expect(zeros).toContain('kizuna_records_total{processor="intake",outcome="skipped",reason="duplicate_event"} 0');
    expect(zeros).toContain('kizuna_records_total{processor="intake",outcome="rejected",reason="undecodable"} 0');
    meter.deadLetter('interactions.v1', 'undecodable', 2);
    const dead = await lines('kizuna_dead_letters_total{topic="interactions.v1"');
    expect(dead).toContain('kizuna_dead_letters_total{topic="interactions.v1",reason="null_value"} 0');
    expect(dead).toContain('kizuna_dead_letters_total{topic="interactions.v1",reason="undecodable"} 2');
    expect(await lines('kizuna_takeovers_total')).toHaveLength(4);
  });

  test('tells what was purged, from 0 on, and what a purge left', async () => {
    const { meter, lines } = setUp();
    meter.purgeLeft('customer-events.v1', 40, 90);
    expect(await lines('kizuna_purge')).toEqual([
      'kizuna_purged_records_total{topic="customer-events.v1"} 0',
      'kizuna_purge_kept_records{topic="customer-events.v1"} 40',
      'kizuna_purge_late_seconds{topic="customer-events.v1"} 90',
    ]);
    meter.purged('customer-events.v1', 7);
    expect(await lines('kizuna_purged')).toEqual(['kizuna_purged_records_total{topic="customer-events.v1"} 7']);
  });

  test('tells which conditions hold now, and why the process stopped once it has', async () => {
    const { meter, render, lines } = setUp();
    await render({ joined: true, store: false });
    expect(await lines('kizuna_ready')).toEqual([
      'kizuna_ready{condition="joined"} 1',
      'kizuna_ready{condition="store"} 0',
    ]);
    await render({ joined: true, store: true });
    expect(await lines('kizuna_ready')).toEqual([
      'kizuna_ready{condition="joined"} 1',
      'kizuna_ready{condition="store"} 1',
    ]);
    expect(await lines('kizuna_stopped')).toEqual([]);
    meter.stopped('input_lost');
    expect(await lines('kizuna_stopped')).toEqual(['kizuna_stopped{code="input_lost"} 1']);
  });

  test('has a bucket bound at each objective', async () => {
    const { meter, lines } = setUp();
    meter.latency('customer', 'pipeline', 0.2);
    meter.latency('customer', 'end_to_end', 6);
    for (const objective of ['0.25', '1', '3', '7']) {
      expect(await lines(`kizuna_pipeline_seconds_bucket{le="${objective}"`)).toHaveLength(1);
    }
    expect(await lines('kizuna_end_to_end_seconds_bucket{le="5"')).toEqual([
      'kizuna_end_to_end_seconds_bucket{le="5",processor="customer"} 0',
    ]);
    expect(await lines('kizuna_end_to_end_seconds_bucket{le="7"')).toEqual([
      'kizuna_end_to_end_seconds_bucket{le="7",processor="customer"} 1',
    ]);
  });

  test('counts what a closed label does not list as other', async () => {
    const { meter, lines } = setUp();
    meter.store('journal_write', 0.001);
    meter.store('something new', 0.001);
    expect((await lines('kizuna_store_seconds_count')).toSorted()).toEqual([
      'kizuna_store_seconds_count{operation="journal_write"} 1',
      'kizuna_store_seconds_count{operation="other"} 1',
    ]);
  });

  test('shows lag of owned partitions only, and the latest deadline of a processor', async () => {
    const { meter, lines } = setUp();
    meter.partition('customer', at(0), gauges([], { lagRecords: 5, lagSeconds: 2, dueOldestSeconds: 1 }));
    meter.partition('customer', at(1), gauges([], { lagRecords: 7, dueOldestSeconds: 4 }));
    expect(await lines('kizuna_due_oldest_seconds')).toEqual(['kizuna_due_oldest_seconds{processor="customer"} 4']);
    meter.partition('customer', at(1), null);
    expect(await lines('kizuna_consumer_lag_records')).toEqual([
      'kizuna_consumer_lag_records{processor="customer",topic="customer-events.v1",partition="0"} 5',
    ]);
    expect(await lines('kizuna_due_oldest_seconds')).toEqual(['kizuna_due_oldest_seconds{processor="customer"} 1']);
    meter.partition('customer', at(0), null);
    expect(await lines('kizuna_due_oldest_seconds')).toEqual([]);
  });

  test('names the partitions that deadlines wait for no longer, whoever owns them, as long as that is so', async () => {
    const { meter, lines } = setUp();
    meter.passedBy('customer', [at(3)]);
    meter.passedBy('brand', []);
    const expected = ['kizuna_partition_passed_by{processor="customer",topic="customer-events.v1",partition="3"} 1'];
    expect(await lines('kizuna_partition_passed_by')).toEqual(expected);
    expect(await lines('kizuna_partition_passed_by')).toEqual(expected);
    meter.passedBy('customer', []);
    expect(await lines('kizuna_partition_passed_by')).toEqual([]);
  });

  test('adds the totals of owned partitions up, also when scraped twice', async () => {
    const { meter, lines } = setUp();
    meter.partition('customer', at(0), gauges([members('vip', 3), members('silent', 1)].values()));
    meter.partition('customer', at(1), gauges([members('vip', 4)]));
    const expected = [
      'kizuna_segment_members{brand="demo",segment="vip"} 7',
      'kizuna_segment_members{brand="demo",segment="silent"} 1',
    ];
    expect(await lines('kizuna_segment_members')).toEqual(expected);
    expect(await lines('kizuna_segment_members')).toEqual(expected);
    meter.partition('customer', at(0), null);
    expect(await lines('kizuna_segment_members')).toEqual(['kizuna_segment_members{brand="demo",segment="vip"} 4']);
  });

  test('shows at most 1,000 series of totals, keeps those it showed and counts the rest', async () => {
    const { meter, lines } = setUp();
    const segments = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => members(`s${from + index}`, 1));
    meter.partition('customer', at(0), gauges(segments(10, 1000)));
    expect(await lines('kizuna_series_dropped')).toEqual(['kizuna_series_dropped 0']);
    meter.partition('customer', at(0), gauges([...segments(0, 10), ...segments(10, 1000)]));
    expect(await lines('kizuna_segment_members{')).toHaveLength(1000);
    expect(await lines('segment="s5"')).toEqual([]);
    expect(await lines('segment="s1009"')).toHaveLength(1);
    expect(await lines('kizuna_series_dropped')).toEqual(['kizuna_series_dropped 10']);
  });

  test('gives each processor 1,000 series of its own', async () => {
    const { meter, lines } = setUp();
    const cases = Array.from({ length: 1001 }, (_, index) => {
      return { name: 'cases_overdue', labels: { brand: 'demo', touchpoint: `t${index}` }, value: 1 };
    });
    meter.partition('touchpoint', { topic: 'touchpoint-events.v1', partition: 0 }, gauges(cases));
    meter.partition('customer', at(0), gauges([members('vip', 3)]));
    expect(await lines('kizuna_segment_members{')).toHaveLength(1);
    expect(await lines('kizuna_cases_overdue{')).toHaveLength(1000);
    expect(await lines('kizuna_series_dropped')).toEqual(['kizuna_series_dropped 1']);
  });

  test('refuses totals that the table of metrics does not declare', () => {
    const { meter } = setUp();
    const undeclared = { name: 'segment_members', labels: { brand: 'demo', customer: 'u:1' }, value: 1 };
    expect(() => meter.partition('customer', at(0), gauges([undeclared]))).toThrow('segment_members{brand,customer}');
    expect(() => meter.partition('customer', at(0), gauges([{ name: 'x', labels: {}, value: 1 }]))).toThrow(
      'not declared',
    );
  });

  test('tells the build, the definitions in use and the process', async () => {
    const { setDefinitions, lines } = setUp();
    setDefinitions({ hash: 'a1', churn: new Map() });
    setDefinitions({ hash: 'b2', churn: new Map() });
    expect(await lines('kizuna_definitions_info')).toEqual(['kizuna_definitions_info{hash="b2"} 1']);
    expect(await lines('kizuna_build_info')).toEqual([
      `kizuna_build_info{version="0.1.0",node="${process.versions.node}"} 1`,
    ]);
    expect(await lines('process_resident_memory_bytes ')).toHaveLength(1);
  });

  test('tells how good each churn model in use was found to be, and nothing of one that is gone', async () => {
    const { setDefinitions, lines } = setUp();
    const judged = (brandId: string, quality: ChurnModelDefinition['quality']): [string, ChurnModelDefinition] => [
      brandId,
      { ...churnModel(), brandId, quality },
    ];
    setDefinitions({ hash: 'a1', churn: new Map([judged('beta', { auc: 0.7 })]) });
    const quality = { auc: 0.76, logLoss: null, customers: 2_357, judgedOn: '90 days', calibrationError: 0.02 };
    setDefinitions({ hash: 'b2', churn: new Map([judged('acme', quality)]) });
    expect(await lines('kizuna_churn_model_quality')).toEqual([
      'kizuna_churn_model_quality{brand="acme",measure="auc"} 0.76',
      'kizuna_churn_model_quality{brand="acme",measure="calibrationError"} 0.02',
    ]);
  });
});
