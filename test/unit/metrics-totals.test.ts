import { expect, test } from 'vitest';
import type { GaugeSample } from '../../processors/core/processor.ts';
import { PartitionTotals, TOTALS_SERIES_MAX } from '../../processors/runtime/metrics-totals.ts';

/** So many measures of a brand over a window, as a partition of it says them. */
function said(brand: string, window: string, count: number, more: Partial<GaugeSample> = {}): GaugeSample[] {
  return Array.from({ length: count }, (_, index) => {
    return { name: 'brand_kpi', labels: { brand, kpi: `kpi-${index}`, window }, value: 1, ...more };
  });
}

function shown(totals: PartitionTotals): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { labels } of totals.sums().samples) {
    const name = `${labels['brand']} ${labels['window']}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

test('what is extra gives its room to what is not, of whichever partition and whenever that comes', () => {
  const totals = new PartitionTotals();
  totals.set('0', [...said('anna', '365d', 100), ...said('anna', '24h', TOTALS_SERIES_MAX, { isExtra: true })]);
  expect(shown(totals)).toEqual({ 'anna 365d': 100, 'anna 24h': TOTALS_SERIES_MAX - 100 });
  totals.set('1', said('ben', '365d', 300));
  expect(shown(totals)).toEqual({ 'anna 365d': 100, 'ben 365d': 300, 'anna 24h': TOTALS_SERIES_MAX - 400 });
  expect(totals.sums().dropped).toBe(400);
});

test('what is shown stays until it is gone', () => {
  const totals = new PartitionTotals();
  totals.set('1', said('ben', '365d', TOTALS_SERIES_MAX));
  expect(shown(totals)).toEqual({ 'ben 365d': TOTALS_SERIES_MAX });
  totals.set('0', said('anna', '365d', 10));
  totals.set('1', said('ben', '365d', TOTALS_SERIES_MAX));
  expect(shown(totals)).toEqual({ 'ben 365d': TOTALS_SERIES_MAX });
  totals.set('1', null);
  expect(shown(totals)).toEqual({ 'anna 365d': 10 });
});

test('partitions add up under the same labels', () => {
  const totals = new PartitionTotals();
  totals.set('0', said('anna', '365d', 1));
  totals.set('1', said('anna', '365d', 1));
  expect(totals.sums()).toMatchObject({ samples: [{ value: 2 }], dropped: 0 });
});
