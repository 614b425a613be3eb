import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createProcessors } from '../../processors/catalog.ts';
import { loadDefinitions, shippedDefinitions } from '../../processors/definitions/load.ts';
import { createMetrics } from '../../processors/runtime/metrics.ts';
import { METRIC_NAMES } from '../../processors/runtime/metrics-table.ts';
import { promtoolOrSkip } from '../harness/promtool.ts';
import { PROMETHEUS } from './alert-rules.ts';

const promtool = await promtoolOrSkip();

async function run(args: readonly string[], input = ''): Promise<{ code: number; output: string }> {
  const child = spawn(promtool ?? '', args, { cwd: PROMETHEUS });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number];
  return { code, output: (await output).join('') };
}

test.skipIf(promtool === undefined)('promtool accepts the rules, and the configuration that loads them', async () => {
  expect(await run(['check', 'rules', 'rules.yml'])).toMatchObject({ code: 0 });
  const { code, output } = await run(['check', 'config', 'prometheus.yml']);
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('1 rule files found') as string });
});

test.skipIf(promtool === undefined)(
  'every alert fires on its fault, and is quiet on healthy and idle systems',
  async () => {
    const { code, output } = await run(['test', 'rules', 'rules.test.yml']);
    expect(code, output).toBe(0);
  },
);

test.skipIf(promtool === undefined)(
  'promtool reads /metrics of every processor, and finds no fault with our names',
  async () => {
    const { meter, startAtZero, setDefinitions, render } = createMetrics(new Registry(), '0.1.0');
    setDefinitions({ hash: 'a1', churn: new Map() });
    startAtZero(createProcessors(await loadDefinitions(shippedDefinitions)));
    meter.latency('customer', 'pipeline', 0.1);
    meter.stopped('input_lost');
    const gauges = { lagRecords: 1, lagSeconds: 0.5, dueOldestSeconds: 0, totals: [] };
    meter.partition('customer', { topic: 'customer-events.v1', partition: 0 }, gauges);
    const { body } = await render({ joined: true });
    expect(METRIC_NAMES.filter((name) => !body.includes(`# TYPE ${name} `))).toEqual([]);
    const { code, output } = await run(['check', 'metrics'], body);
    // 1: it cannot be read. 3: it can, but somebody's names are unusual: those of prom-client's own metrics.
    expect(code, output).not.toBe(1);
    expect(output.split('\n').filter((line) => line.startsWith('kizuna_'))).toEqual([]);
    expect(await run(['check', 'metrics'], `${body}\nkizuna_bad{`)).toMatchObject({ code: 1 });
  },
);
