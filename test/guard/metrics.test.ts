import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LABELS } from '../../processors/runtime/metrics-labels.ts';
import { METRIC_NAMES, metricRow } from '../../processors/runtime/metrics-table.ts';
import { README, renderReadme, sectionOf } from './reference-docs.ts';

const rows = METRIC_NAMES.map((name) => ({ name, ...metricRow(name) }));
const NOT_BASE_UNITS = /(^|_)(ms|millis|milliseconds|minutes|hours|days|kb|kib|mb|mib|percent)(_|$)/;

describe('the metrics', () => {
  test('stand in the README as the code has them (npm run docs writes them anew)', async () => {
    const readme = readFileSync(README, 'utf8');
    expect(sectionOf(readme, 'metrics')).toBe(sectionOf(await renderReadme(readme), 'metrics'));
  });

  test.each(rows)('$name is named by what it is, in base units', ({ name, type, help }) => {
    expect(name).toMatch(/^kizuna(_[a-z]+)+$/);
    expect(name).not.toMatch(NOT_BASE_UNITS);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    if (name.endsWith('_info')) expect(type).toBe('gauge');
    if (type === 'histogram') expect(name).toMatch(/_(seconds|records|bytes)$/);
    expect(help).toMatch(/^[A-Z].*\.$/);
  });

  test.each(rows)('$name has bounded labels and, as a histogram, rising bounds', ({ type, labels, buckets }) => {
    for (const label of labels) expect(Object.keys(LABELS)).toContain(label);
    if (labels.includes('partition')) expect(type).toBe('gauge');
    expect(buckets !== undefined).toBe(type === 'histogram');
    expect(buckets ?? []).toEqual([...new Set(buckets)].toSorted((left, right) => left - right));
  });

  test('have a bound at each latency objective', () => {
    for (const { name, buckets } of rows.filter((row) => /^kizuna_(pipeline|end_to_end)_seconds$/.test(row.name))) {
      expect(buckets, name).toEqual(expect.arrayContaining([0.25, 1, 3, 7]));
    }
  });

  test('use every label that is declared', () => {
    expect(new Set(rows.flatMap(({ labels }) => labels))).toEqual(new Set(Object.keys(LABELS)));
  });
});
