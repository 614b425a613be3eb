import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { PROCESSOR_NAMES } from '../../processors/catalog.ts';
import { ERROR_CODES } from '../../processors/core/errors.ts';
import { SETTING_NAMES } from '../../processors/runtime/config-table.ts';
import { ALERTS, RECORDED, RULE_TESTS, RUNBOOK_TEXTS, runbookOf, unknownMetrics } from './alert-rules.ts';
import { ROOT } from './repository.ts';

const runbook = (name: string): string => RUNBOOK_TEXTS.get(name) ?? '';
const expectations = RULE_TESTS.flatMap((each) => each.promql_expr_test);

describe.each(ALERTS)('$alert', ({ alert, expr, labels, annotations }) => {
  const name = runbookOf(alert);

  test('has a runbook that says what it means, how to mend it and when it is over', () => {
    expect(annotations.runbook_url).toBe(`deploy/runbooks/${name}.md`);
    expect(runbook(name)).toMatch(new RegExp(`^# .+\\n\\nAlert: \`${alert}\`, ${labels.severity}\\.`));
    for (const heading of ['What it means', 'Mend it', 'It is over when']) {
      expect(runbook(name)).toContain(`\n## ${heading}\n`);
    }
  });

  test('asks for metrics and labels that exist', () => {
    expect(unknownMetrics(expr)).toEqual([]);
  });

  test('tells only labels that it has', () => {
    const texts = Object.values(annotations).join('\n');
    const told = Array.from(texts.matchAll(/\$labels\.([a-z_]+)/g), ([, label = '']) => label);
    // A selector that is not aggregated keeps what Prometheus adds to every series.
    const kept = /\b(by|absent|max\()/.test(expr) ? [] : ['instance', 'job'];
    expect(told.filter((label) => !kept.includes(label) && !new RegExp(`\\b${label}\\b`).test(expr))).toEqual([]);
  });

  test('is shown to fire, and to be quiet', () => {
    const firing = expectations.filter(({ exp_samples }) =>
      exp_samples.some((sample) => sample.labels.includes(`alertname="${alert}",alertstate="firing"`)),
    );
    expect(firing).not.toEqual([]);
  });
});

test('healthy and idle systems, a rolling restart and a short outage are shown to fire nothing', () => {
  const quiet = RULE_TESTS.filter(({ promql_expr_test }) =>
    promql_expr_test
      .filter(({ expr }) => expr.startsWith('ALERTS'))
      .every(({ expr, exp_samples }) => exp_samples.length === 0 && !expr.includes('alertname')),
  );
  expect(quiet.map(({ name }) => name).join('; ')).toMatch(/under load.*without a single record.*restart.*MongoDB/);
});

test('the rules are tested with series that the processes have', () => {
  const series = RULE_TESTS.flatMap((each) => each.input_series.map((input) => input.series));
  expect(series.flatMap(unknownMetrics)).toEqual([]);
});

test('what is recorded uses metrics that exist, and is used more than once', () => {
  const everything = ALERTS.map(({ expr }) => expr).join('\n') + [...RUNBOOK_TEXTS.values()].join('\n');
  for (const { record, expr } of RECORDED) {
    expect(unknownMetrics(expr)).toEqual([]);
    expect(everything.split(record).length - 1, record).toBeGreaterThan(1);
  }
});

test('every processor of the catalog is missed when nobody runs it', () => {
  const absent = ALERTS.find(({ alert }) => alert === 'KizunaProcessorAbsent')?.expr ?? '';
  expect(
    PROCESSOR_NAMES.filter((name) => !absent.includes(`kizuna_consumer_lag_records{processor="${name}"}`)),
  ).toEqual([]);
});

describe.each([...RUNBOOK_TEXTS.keys()])('the runbook %s', (name) => {
  const text = runbook(name);

  test('is there for an alert, an error code, or what somebody asks for', () => {
    const codes = Array.from(
      /^Error codes?: (.*)$/m.exec(text)?.[1]?.matchAll(/`(\w+)`/g) ?? [],
      ([, code = '']) => code,
    );
    expect(codes.filter((code) => !ERROR_CODES.some((each) => each === code))).toEqual([]);
    const isAskedFor = /^No alert: /m.test(text);
    expect(isAskedFor || codes.length > 0 || ALERTS.some(({ alert }) => runbookOf(alert) === name)).toBe(true);
  });

  test('names metrics, settings, commands and files that exist', () => {
    expect(unknownMetrics(text)).toEqual([]);
    const settings = Array.from(text.matchAll(/\bKIZUNA_[A-Z_]+\b/g), ([setting]) => setting);
    expect(settings.filter((setting) => !SETTING_NAMES.some((each) => each === setting))).toEqual([]);
    const commands = Array.from(
      text.matchAll(/(?:npx|`|\$ )kizuna ([a-z][a-z-]*)|^kizuna ([a-z][a-z-]*)/gm),
      (found) => found[1] ?? found[2] ?? '',
    );
    const program = readFileSync(join(ROOT, 'processors', 'cli', 'program.ts'), 'utf8');
    expect(commands.filter((command) => !program.includes(`'./${command}.ts'`))).toEqual([]);
    const links = Array.from(text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g), ([, link = '']) => link);
    expect(
      links.filter((link) => !link.startsWith('http') && !existsSync(join(ROOT, 'deploy', 'runbooks', link))),
    ).toEqual([]);
  });
});

test('a metric, a label or a grouping that does not exist is noticed', () => {
  expect(unknownMetrics('rate(kizuna_records_total{outcome="rejected"}[5m])')).toEqual([]);
  expect(unknownMetrics('kizuna_pipeline_seconds_bucket{le="1"} kizuna_pipeline_seconds_count')).toEqual([]);
  expect(unknownMetrics('kizuna_record_total')).toEqual(['kizuna_record_total']);
  expect(unknownMetrics('kizuna_records_total_count')).toEqual(['kizuna_records_total_count']);
  expect(unknownMetrics('kizuna_dirty_documents{partition="1"}')).toEqual(['kizuna_dirty_documents{partition}']);
  expect(unknownMetrics('sum by (processor, group) (kizuna_dirty_documents)')).toEqual(['group']);
});

test('Prometheus in compose finds the rules beside its configuration', () => {
  const compose = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
  const config = parse(readFileSync(join(ROOT, 'deploy', 'prometheus', 'prometheus.yml'), 'utf8')) as {
    rule_files: string[];
  };
  expect(config.rule_files).not.toEqual([]);
  for (const file of ['prometheus.yml', ...config.rule_files]) {
    expect(compose).toContain(`- ./deploy/prometheus/${file}:/etc/prometheus/${file}:ro`);
  }
});
