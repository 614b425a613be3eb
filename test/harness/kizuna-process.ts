import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { waitUntil } from './wait-until.ts';

const ROOT = join(import.meta.dirname, '../..');
const START_WITHIN_MS = 120_000;
const LINES_KEPT = 20;
/** What kafkajs says each time it finds no broker: it would crowd out why a process ended. */
const KNOCKING = /"kafkajs":"(Connection|BrokerPool)"/;
/** The arguments of Node for `kizuna run`. */
export const RUN = [join(ROOT, 'processors/cli/main.ts'), 'run'] as const;

/** `kizuna run` as a process of its own. */
export interface KizunaProcess extends AsyncDisposable {
  readonly pid: number;
  /** Where its metrics are. */
  readonly url: string;
  readonly failed: Promise<never>;
  /** SIGKILL: no goodbye. Resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Starts it and resolves when it says that it runs. Disposing kills it. `processors`: all, unless some are named. */
export async function runKizuna(
  environment: Readonly<Record<string, string>>,
  processors: readonly string[] = [],
): Promise<KizunaProcess> {
  const started = spawnKizuna(environment, [...RUN, ...processors]);
  try {
    const url = await started.running;
    const { pid, failed, kill, stop } = started;
    return { pid, url, failed, kill, stop, [Symbol.asyncDispose]: kill };
  } catch (error) {
    await started.kill();
    throw error;
  }
}

/** A process that composes `kizuna run`, from its beginning on. */
export interface SpawnedKizuna extends Omit<KizunaProcess, 'url'> {
  /** Where its metrics are, once it says that it runs. */
  readonly running: Promise<string>;
  /** Resolves when it is gone, however it ended. */
  readonly gone: Promise<unknown>;
}

/** `program`: a file and its arguments. `onLine` is told each line of its log. */
export function spawnKizuna(
  environment: Readonly<Record<string, string>>,
  program: readonly string[],
  onLine: (line: string) => void = () => undefined,
): SpawnedKizuna {
  const child = node(program, environment);
  const told: string[] = [];
  let url: string | undefined;
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (!KNOCKING.test(line)) told.push(line);
    if (told.length > LINES_KEPT) told.shift();
    url ??= urlOf(line);
    onLine(line);
  });
  const gone = new Promise<number | null>((resolve) => child.once('close', resolve));
  let isWanted = true;
  const failed = gone.then((code) => {
    if (isWanted) throw new Error(`kizuna run ended by itself with ${code}:\n${told.join('\n')}`);
    return new Promise<never>(() => undefined);
  });
  failed.catch(() => undefined);
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> => {
    isWanted = false;
    child.kill(signal);
    return gone;
  };
  const running = waitUntil('kizuna run runs', () => url, {
    withinMs: START_WITHIN_MS,
    failed,
    seen: () => told.join('\n'),
  });
  // Whoever wants to know awaits it.
  running.catch(() => undefined);
  const kill = async (): Promise<void> => void (await end('SIGKILL'));
  const stop = (): Promise<number | null> => end('SIGTERM');
  return { pid: child.pid ?? -1, running, failed, gone, kill, stop, [Symbol.asyncDispose]: kill };
}

/** Where the process listens, if this line of its log tells. */
function urlOf(line: string): string | undefined {
  if (!line.includes('"message":"running"')) return undefined;
  return (JSON.parse(line) as { url: string }).url;
}

/** Runs a command to its end; rejects with what it said on an exit code other than 0. */
export async function runCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const child = node([RUN[0], ...args], environment);
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.on('data', (text: Buffer) => out.push(text.toString()));
  child.stderr.on('data', (text: Buffer) => err.push(text.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`kizuna ${args.join(' ')} ended with ${code}: ${err.join('')}`);
  return out.join('');
}

function node(program: readonly string[], environment: Readonly<Record<string, string>>) {
  const env = { PATH: process.env['PATH'], ...environment };
  return spawn(process.execPath, [...program], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
}
