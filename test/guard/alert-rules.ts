import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { METRIC_NAMES, metricRow } from '../../processors/runtime/metrics-table.ts';
import { ROOT } from './repository.ts';

export const PROMETHEUS = join(ROOT, 'deploy', 'prometheus');
export const RUNBOOKS = join(ROOT, 'deploy', 'runbooks');

const alertRule = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
  annotations: z.strictObject({ summary: z.string(), description: z.string(), runbook_url: z.string() }),
});
const recordingRule = z.strictObject({ record: z.string(), expr: z.string() });
const ruleFile = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(z.union([alertRule, recordingRule])) })),
});
const sample = z.strictObject({ labels: z.string(), value: z.number() });
const testFile = z.object({
  rule_files: z.array(z.string()),
  tests: z.array(
    z.strictObject({
      name: z.string(),
      interval: z.string(),
      input_series: z.array(z.strictObject({ series: z.string(), values: z.string() })),
      promql_expr_test: z.array(
        z.strictObject({ expr: z.string(), eval_time: z.string(), exp_samples: z.array(sample) }),
      ),
    }),
  ),
});

const yamlOf = (name: string): unknown => parse(readFileSync(join(PROMETHEUS, name), 'utf8'));

const rules = ruleFile.parse(yamlOf('rules.yml')).groups.flatMap((group) => group.rules);

export const ALERTS = rules.filter((rule) => 'alert' in rule);
export const RECORDED = rules.filter((rule) => 'record' in rule);
export const RULE_TESTS = testFile.parse(yamlOf('rules.test.yml')).tests;

/** Each runbook by its name without `.md`. */
export const RUNBOOK_TEXTS = new Map(
  readdirSync(RUNBOOKS).map((name) => [name.replace(/\.md$/, ''), readFileSync(join(RUNBOOKS, name), 'utf8')]),
);

/** `KizunaInputLost` → `input_lost`. */
export function runbookOf(alert: string): string {
  return alert
    .replace(/^Kizuna/, '')
    .replaceAll(/(?<!^)[A-Z]/g, '_$&')
    .toLowerCase();
}

/** What Prometheus adds to every series. */
const SCRAPED_LABELS = ['job', 'instance'];
/** What is alerted on besides the metrics of Kizuna: Prometheus's own, and the process's. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  up: SCRAPED_LABELS,
  process_start_time_seconds: SCRAPED_LABELS,
};

function labelsOf(metric: string): readonly string[] | null {
  if (Object.hasOwn(OTHERS, metric)) return OTHERS[metric] ?? null;
  const name = METRIC_NAMES.find((each) => each === metric || isSeriesOf(each, metric));
  return name === undefined ? null : [...metricRow(name).labels, ...SCRAPED_LABELS, ...(name === metric ? [] : ['le'])];
}

function isSeriesOf(name: (typeof METRIC_NAMES)[number], series: string): boolean {
  return metricRow(name).type === 'histogram' && ['_bucket', '_sum', '_count'].some((end) => name + end === series);
}

/** What a text of PromQL, or a text that quotes some, says of metrics and labels that do not exist. */
export function unknownMetrics(text: string): string[] {
  const unknown: string[] = [];
  const withoutRecorded = RECORDED.reduce((rest, { record }) => rest.replaceAll(record, ''), text);
  const selectors =
    /(?<![a-zA-Z0-9_:./-])((?:kizuna_[a-z_]+|up|process_start_time_seconds)(?![a-zA-Z0-9_:]))(?:\{([^}]*)\})?/g;
  for (const [, metric = '', matchers = ''] of withoutRecorded.matchAll(selectors)) {
    // A word of a sentence.
    if (metric === 'up' && matchers === '') continue;
    const labels = labelsOf(metric);
    if (labels === null) unknown.push(metric);
    for (const [, label = ''] of matchers.matchAll(/([a-z_]+)\s*[=!]/g)) {
      if (labels?.includes(label) === false) unknown.push(`${metric}{${label}}`);
    }
  }
  const known = new Set([...SCRAPED_LABELS, ...METRIC_NAMES.flatMap((name) => metricRow(name).labels), 'le']);
  for (const [, list = ''] of withoutRecorded.matchAll(/\b(?:by|on|without|ignoring)\s*\(([^)]*)\)/g)) {
    unknown.push(
      ...list
        .split(',')
        .map((label) => label.trim())
        .filter((label) => label !== '' && !known.has(label as 'le')),
    );
  }
  return unknown;
}
