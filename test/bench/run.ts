import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startServices, type Services } from '../harness/services.ts';
import type { Benchmark, Surroundings } from './benchmark.ts';
import { bytes } from './bytes.ts';
import { customer, intakeAndCustomer, moreSegments } from './customer.ts';
import { fold } from './fold.ts';
import { herd } from './herd.ts';
import { idle } from './idle.ts';
import { latency } from './latency.ts';
import { replay } from './replay.ts';
import { detailLines, judge, machineOf, table, type Result } from './report.ts';
import { yardstickMs } from './yardstick.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const BENCHMARKS: readonly Benchmark[] = [
  bytes,
  fold,
  replay,
  customer,
  intakeAndCustomer,
  moreSegments,
  latency,
  herd,
  idle,
];
const EVENTS = 1_000_000;

const USAGE = `usage: npm run bench [-- --only name,…] [-- --events n] [-- --json file] [-- --profile folder]

  --only     only these, of: ${BENCHMARKS.map(({ name }) => name).join(', ')}
  --events   how many events the large ones take (default ${EVENTS.toLocaleString('en')})
  --json     also write everything that was found to this file
  --profile  leave CPU profiles of the processes under measurement in this folder; they cost some speed
  --help     this text

Uses, but for bytes, fold and replay, a real Kafka, MongoDB and schema registry: addresses from the environment, else containers, else native processes.
Everything is removed at the end. Ends with 1 when a figure is below 60 % of its target.
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      events: { type: 'string' },
      json: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  const chosen = choose(values.only);
  const events = Number(values.events ?? EVENTS);
  if (!Number.isInteger(events) || events < 1000) throw new TypeError('--events: a whole number from 1,000 on');

  const machine = machineOf(ROOT);
  await using stack = new AsyncDisposableStack();
  let started: Promise<Services> | null = null;
  const services = (): Promise<Services> => (started ??= startedServices(stack));
  const folder = stack.adopt(await mkdtemp(join(tmpdir(), 'kizuna-bench-')), (each) => rm(each, { recursive: true }));
  const profileFolder = values.profile === undefined ? null : resolve(values.profile);
  const results: Result[] = [];
  for (const benchmark of chosen)
    results.push(await runOne(benchmark, { services, events, profileFolder, folder, progress }));

  const { cpu, cores, node, loadBefore, commit } = machine;
  const load = loadBefore.map((each) => each.toFixed(1)).join(' ');
  process.stdout.write(
    `\n${cores} × ${cpu}, Node ${node}, load before ${load}, commit ${commit}, ${events} events\n\n`,
  );
  process.stdout.write(`${table(results)}\n`);
  for (const result of results)
    process.stdout.write(`\n${result.benchmark}: ${result.about}\n${detailLines(result).join('\n')}\n`);
  if (values.json !== undefined) {
    const how = started === null ? null : (await services()).how;
    await writeFile(values.json, `${JSON.stringify({ machine, services: how, events, results }, null, 2)}\n`);
  }
  if (results.some(({ targets }) => targets.some(({ verdict }) => verdict === 'below 60 %'))) process.exitCode = 1;
}

async function startedServices(stack: AsyncDisposableStack): Promise<Services> {
  progress('starting the services');
  return stack.adopt(await startServices(), (each) => each.stop());
}

async function runOne(benchmark: Benchmark, surroundings: Surroundings): Promise<Result> {
  const startedAt = performance.now();
  const before = { loadBefore: loadavg(), yardstickMs: yardstickMs() };
  const say = (line: string): void => {
    progress(`${benchmark.name}: ${line}`);
  };
  const findings = await benchmark.run({ ...surroundings, progress: say });
  const seconds = (performance.now() - startedAt) / 1000;
  const { name, about } = benchmark;
  const result = { benchmark: name, about, seconds, ...before, ...findings, targets: judge(benchmark, findings) };
  for (const { figure, measured, verdict } of result.targets) say(`${figure} ${measured.toFixed(1)}: ${verdict}`);
  return result;
}

function choose(only: string | undefined): readonly Benchmark[] {
  if (only === undefined) return BENCHMARKS;
  return only.split(',').map((name) => {
    const found = BENCHMARKS.find((benchmark) => benchmark.name === name.trim());
    if (found === undefined)
      throw new TypeError(`--only: there is no ${name}; there are ${BENCHMARKS.map((each) => each.name).join(', ')}`);
    return found;
  });
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

main().catch((error: unknown) => {
  const usage = error instanceof TypeError;
  process.stderr.write(
    `${error instanceof Error ? (usage ? error.message : (error.stack ?? error.message)) : String(error)}\n`,
  );
  process.exitCode = usage ? 2 : 1;
});
