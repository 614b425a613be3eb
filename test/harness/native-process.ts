import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findProgram, lastLines } from './native-tools.ts';

/** How to run one server and to know that it serves. */
export interface ServerRecipe {
  readonly name: string;
  readonly port: number;
  readonly logFile: string;
  readonly program: string;
  readonly args: readonly string[];
  /** One attempt: resolves when the server gives a right answer in its own protocol. */
  readonly answers: () => Promise<void>;
  /** Whether the server may outlive this process once it is let go. Until then, and else for good, it is killed with it. */
  readonly outlives: boolean;
}

export interface NativeServer {
  readonly port: number;
  readonly logFile: string;
  /** The process; undefined while none runs. */
  readonly pid: number | undefined;
  /** Resolves when the server answers. On the same port and data as before; harmless while it runs. */
  start(): Promise<void>;
  /** SIGSTOP and SIGCONT are sent; after any other signal it resolves when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** SIGTERM, and SIGKILL when that is not enough. */
  stop(): Promise<void>;
  /** From here on this process may end while the server goes on. Only for one that may outlive it. */
  letGo(): void;
}

const ANSWER_WITHIN_MS = 90_000;
const STOP_WITHIN_MS = 10_000;
const ASK_AGAIN_MS = 50;

export function nativeServer(recipe: ServerRecipe): NativeServer {
  let child: ChildProcess | undefined;
  let gone: Promise<void> = Promise.resolve();

  async function start(): Promise<void> {
    if (child !== undefined) return;
    const started = await launch(recipe);
    child = started;
    gone = new Promise((resolve) => started.once('exit', () => void resolve()));
    void gone.then(() => (child = undefined));
    await untilItAnswers(recipe, gone).catch(async (error: unknown) => {
      started.kill('SIGKILL');
      await gone;
      const tail = lastLines(await readFile(recipe.logFile, 'utf8').catch(() => ''), 30);
      throw new Error(`${recipe.name} did not come up; the end of its log ${recipe.logFile}:\n${tail}`, {
        cause: error,
      });
    });
  }

  async function kill(signal: NodeJS.Signals): Promise<void> {
    if (child === undefined) return;
    child.kill(signal);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await gone;
  }

  async function stop(): Promise<void> {
    if (child === undefined) return;
    // A process that was stopped by SIGSTOP sees SIGTERM only when it goes on.
    child.kill('SIGCONT');
    const timer = setTimeout(() => child?.kill('SIGKILL'), STOP_WITHIN_MS);
    await kill('SIGTERM');
    clearTimeout(timer);
  }

  return {
    port: recipe.port,
    logFile: recipe.logFile,
    get pid() {
      return child?.pid;
    },
    start,
    kill,
    stop,
    letGo: () => {
      if (child === undefined || !recipe.outlives) return;
      notKilledAnyMore(child);
      child.unref();
    },
  };
}

async function launch(recipe: ServerRecipe): Promise<ChildProcess> {
  await mkdir(dirname(recipe.logFile), { recursive: true });
  const { program, args } = recipe.outlives ? recipe : await boundToParent(recipe);
  const log = openSync(recipe.logFile, 'a');
  try {
    const child = spawn(program, args, { stdio: ['ignore', log, log], detached: recipe.outlives });
    const { promise, resolve, reject } = Promise.withResolvers<ChildProcess>();
    child.once('spawn', () => resolve(child));
    child.once('error', reject);
    killWithThisProcess(child);
    return await promise;
  } finally {
    closeSync(log);
  }
}

/** Where the system can do it (util-linux), the kernel kills the server when this process dies, even by SIGKILL. */
async function boundToParent(recipe: ServerRecipe): Promise<Pick<ServerRecipe, 'program' | 'args'>> {
  const setpriv = process.platform === 'linux' ? await findProgram('setpriv') : undefined;
  if (setpriv === undefined) return recipe;
  return { program: setpriv, args: ['--pdeathsig', 'KILL', '--', recipe.program, ...recipe.args] };
}

const running = new Set<ChildProcess>();

function killWithThisProcess(child: ChildProcess): void {
  if (running.size === 0) process.once('exit', killAll);
  running.add(child);
  child.once('exit', () => notKilledAnyMore(child));
}

function notKilledAnyMore(child: ChildProcess): void {
  running.delete(child);
  if (running.size === 0) process.off('exit', killAll);
}

function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

async function untilItAnswers(recipe: ServerRecipe, gone: Promise<void>): Promise<void> {
  const deadline = performance.now() + ANSWER_WITHIN_MS;
  const ended = gone.then(() => 'ended' as const);
  let refusal: unknown;
  while (performance.now() < deadline) {
    const attempt = recipe.answers().then(
      () => 'answered' as const,
      (error: unknown) => {
        refusal = error;
        return 'refused' as const;
      },
    );
    const result = await Promise.race([attempt, ended]);
    if (result === 'answered') return;
    if (result === 'ended') throw new Error(`the process of ${recipe.name} ended`);
    await Promise.race([delay(ASK_AGAIN_MS), ended]);
  }
  throw new Error(`${recipe.name} gave no right answer within ${ANSWER_WITHIN_MS / 1000} s`, { cause: refusal });
}
