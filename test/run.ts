import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { addSuite, EMPTY_TALLY, judge, readReport, type Tally } from './run-report.ts';

const ROOT = resolve(import.meta.dirname, '..');
const STATIC_STAGES = ['lint', 'format', 'types'] as const;
const PLAIN_STAGES = ['unit', 'processors', 'guard'] as const;
const SERVICE_STAGES = ['contract', 'integration', 'e2e'] as const;
const STAGES = [...STATIC_STAGES, ...PLAIN_STAGES, ...SERVICE_STAGES] as const;
type Stage = (typeof STAGES)[number];

const USAGE = `usage: npm test [-- --fast] [-- --only stage,stage]

  --fast   what needs no services: ${[...STATIC_STAGES, ...PLAIN_STAGES].join(', ')} (also: npm run check)
  --only   only these stages, of: ${STAGES.join(', ')}
  --help   this text

contract, integration and e2e use a real Kafka, MongoDB and schema registry: addresses from the environment, else
containers, else native processes. With CI=true it is a failure when one cannot be had.
`;

const TOOLS = {
  lint: ['node_modules/eslint/bin/eslint.js', '.'],
  format: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'],
  types: ['node_modules/typescript/bin/tsc', '--noEmit', '--pretty'],
  vitest: ['node_modules/vitest/vitest.mjs', 'run'],
};

interface StageResult {
  readonly stage: Stage;
  readonly passed: boolean;
  readonly note: string;
  readonly seconds: number;
}

const running = new Set<ChildProcess>();
let interruptedBy: 'SIGINT' | 'SIGTERM' | null = null;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interruptedBy ??= signal;
    for (const child of running) child.kill(signal);
  });
}

/** Runs one tool on this Node and answers its exit code; its output goes to the terminal, or is collected when `quiet`. */
async function runTool(args: readonly string[], quiet: boolean): Promise<{ code: number; output: string }> {
  if (interruptedBy !== null) return { code: 1, output: '' };
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit' });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((ended, failed) => {
    child.once('error', failed);
    child.once('close', (code) => {
      running.delete(child);
      ended({ code: code ?? 1, output });
    });
  });
}

const secondsSince = (startedAt: number): number => (performance.now() - startedAt) / 1000;

async function runStatic(stage: (typeof STATIC_STAGES)[number]): Promise<StageResult> {
  const startedAt = performance.now();
  const { code, output } = await runTool(TOOLS[stage], true);
  const seconds = secondsSince(startedAt);
  process.stdout.write(code === 0 ? `${stage}: passed\n` : `${stage}: FAILED\n${output}\n`);
  return { stage, passed: code === 0, note: '', seconds };
}

/** ESLint with types keeps one core busy for about as long as the type check and Prettier do together. */
async function runStatics(stages: readonly Stage[]): Promise<StageResult[]> {
  const lanes = [['lint'], ['types', 'format']] as const;
  const results = await Promise.all(
    lanes.map(async (lane) => {
      const done: StageResult[] = [];
      for (const stage of lane) if (stages.includes(stage)) done.push(await runStatic(stage));
      return done;
    }),
  );
  return results.flat();
}

/** One Vitest run for all the given stages, each one or more projects of vitest.config.ts; its JSON report says how each went. */
async function runVitest(
  stages: readonly Stage[],
  needsServices: boolean,
): Promise<{ results: StageResult[]; tally: Tally }> {
  const folder = await mkdtemp(join(tmpdir(), 'kizuna-test-'));
  try {
    const report = join(folder, 'report.json');
    // A stage may be of several projects, whose names begin with its own.
    const projects = stages.map((stage) => `--project=${stage}*`);
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const { code } = await runTool([...TOOLS.vitest, ...projects, ...reporters], false);
    const suites = readReport(await readFile(report, 'utf8').catch(() => null));
    let total = EMPTY_TALLY;
    const results = stages.map((stage): StageResult => {
      const mine = suites.filter((suite) => relative(join(ROOT, 'test', stage), suite.file).startsWith('..') === false);
      const tally = mine.reduce(addSuite, EMPTY_TALLY);
      total = addSuite(total, tally);
      const mustRun = needsServices && process.env['CI'] === 'true';
      return { stage, ...judge(mine.length, tally, mustRun), seconds: (tally.endedAt - tally.startedAt) / 1000 };
    });
    // An error outside any test (a set-up, an unhandled rejection) fails the run without failing a test.
    if (code === 0 || results.some((result) => !result.passed)) return { results, tally: total };
    return {
      results: results.map((each) => ({ ...each, passed: false, note: `${each.note}; error outside a test` })),
      tally: total,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function table(results: readonly StageResult[]): string {
  const rows = results.map(({ stage, passed, note, seconds }) =>
    [stage.padEnd(12), (passed ? 'passed' : 'FAILED').padEnd(8), seconds.toFixed(1).padStart(7), '  ', note]
      .join('')
      .trimEnd(),
  );
  return ['', `${'stage'.padEnd(12)}${'result'.padEnd(8)}${'seconds'.padStart(7)}`, ...rows, ''].join('\n');
}

function selectStages(options: { fast?: boolean; only?: string }): readonly Stage[] {
  const all: readonly Stage[] = options.fast === true ? [...STATIC_STAGES, ...PLAIN_STAGES] : STAGES;
  if (options.only === undefined) return all;
  const asked = options.only.split(',').map((name) => name.trim());
  const unknown = asked.filter((name) => !STAGES.some((stage) => stage === name));
  if (unknown.length > 0) throw new TypeError(`unknown stage: ${unknown.join(', ')}`);
  return all.filter((stage) => asked.includes(stage));
}

async function main(): Promise<number> {
  let stages: readonly Stage[];
  try {
    const { values } = parseArgs({
      options: { fast: { type: 'boolean' }, only: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.help === true) {
      process.stdout.write(USAGE);
      return 0;
    }
    stages = selectStages(values);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  const results = await runStatics(stages);
  let tally: Tally | null = null;
  for (const group of [PLAIN_STAGES, SERVICE_STAGES]) {
    const wanted = group.filter((stage) => stages.includes(stage));
    if (wanted.length === 0 || interruptedBy !== null) continue;
    const run = await runVitest(wanted, group === SERVICE_STAGES);
    results.push(...run.results);
    tally = addSuite(tally ?? EMPTY_TALLY, run.tally);
  }
  process.stdout.write(`${table(results)}\n`);
  if (tally !== null) {
    const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : '';
    process.stdout.write(`${tally.passed} passed, ${tally.failed} failed${skipped}\n`);
  }
  if (interruptedBy !== null) return interruptedBy === 'SIGINT' ? 130 : 143;
  return results.length > 0 && results.every((result) => result.passed) ? 0 : 1;
}

process.exitCode = await main();
