import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { isAlive } from './native-lock.ts';
import { runProgram } from './native-tools.ts';

const STOP_WITHIN_MS = 10_000;
const LOOK_AGAIN_MS = 50;

const server = z.object({ pid: z.number().int().positive(), port: z.number().int().positive() });
const state = z.object({ kafka: server, mongodb: server, schemaRegistry: server });

/** The servers of a stack that was left running: which processes, on which ports. */
export type StackState = z.infer<typeof state>;

/** What `folder` says was started; undefined when nothing was, or when the file cannot be read as that. */
export async function readStackState(folder: string): Promise<StackState | undefined> {
  const text = await readFile(join(folder, 'stack.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return state.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export async function writeStackState(folder: string, running: StackState | undefined): Promise<void> {
  const path = join(folder, 'stack.json');
  if (running === undefined) return rm(path, { force: true });
  await writeFile(`${path}.new`, `${JSON.stringify(running, null, 2)}\n`);
  await rename(`${path}.new`, path);
}

/**
 * Whether the process is one that was started for the stack in `folder`: every server has that folder on its command line,
 * so a process that got an old pid is never taken for it.
 */
export async function isOurs(pid: number, folder: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const commandLine =
    process.platform === 'linux'
      ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      : await runProgram('ps', ['-ww', '-o', 'command=', '-p', String(pid)], '/').catch(() => '');
  return commandLine.includes(folder);
}

/** Ends the process if it is ours: SIGTERM, then SIGKILL. Resolves when it is gone. */
export async function endProcess(pid: number, folder: string): Promise<void> {
  const deadline = performance.now() + STOP_WITHIN_MS;
  let signal: NodeJS.Signals | undefined = 'SIGTERM';
  while (await isOurs(pid, folder)) {
    if (signal === undefined && performance.now() > deadline) signal = 'SIGKILL';
    if (signal !== undefined) process.kill(pid, signal);
    signal = undefined;
    await delay(LOOK_AGAIN_MS);
  }
}
