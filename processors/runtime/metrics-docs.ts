import { METRIC_NAMES, metricRow } from './metrics-table.ts';

/** The table of metrics as Markdown, as the README shows it. */
export function renderMetrics(): string {
  const rows = METRIC_NAMES.map((name) => {
    const { type, labels, help } = metricRow(name);
    return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${help} |`;
  });
  return ['| Metric | Type | Labels | Meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
