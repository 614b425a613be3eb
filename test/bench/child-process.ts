import { fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';

/** A process of its own, so that what it costs is not mixed with what feeds it. */
export interface Child<Task, Report> {
  send(task: Task): void;
  /** The next thing it says; rejects when it ends instead. */
  next(): Promise<Report>;
  /** Resolves when it has ended by itself, which is when a CPU profile is written. */
  ended(): Promise<void>;
  /** Harmless when it has ended. */
  [Symbol.dispose](): void;
}

/** Starts a file of this folder, or one with a whole path. With a profile folder it leaves a CPU profile there when it ends. */
export function startChild<Task extends object, Report>(
  file: string,
  profileFolder: string | null,
): Child<Task, Report> {
  if (profileFolder !== null) mkdirSync(profileFolder, { recursive: true });
  const profiling =
    profileFolder === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`, '--cpu-prof-interval=500'];
  const child = fork(resolve(import.meta.dirname, file), [], {
    execArgv: profiling,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const said: Report[] = [];
  const waiting: { resolve: (report: Report) => void; reject: (error: Error) => void }[] = [];
  let end: string | null = null;
  child.on('message', (message) => {
    // Both ends are files of this folder.
    const report = message as Report;
    const first = waiting.shift();
    if (first === undefined) said.push(report);
    else first.resolve(report);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      end = `${file} ended: ${signal ?? code}`;
      for (const each of waiting.splice(0)) each.reject(new Error(end));
      resolve();
    });
  });
  return {
    // What has ended needs no task any more; `next` tells that it has.
    send: (task) => void (child.connected && child.send(task)),
    next: () => {
      const report = said.shift();
      if (report !== undefined) return Promise.resolve(report);
      if (end !== null) return Promise.reject(new Error(end));
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    ended: () => ended,
    [Symbol.dispose]: () => void (end === null && child.kill()),
  };
}

/** One task, one report. */
export async function runChild<Task extends object, Report>(
  file: string,
  task: Task,
  profileFolder: string | null = null,
): Promise<Report> {
  using child = startChild<Task, Report>(file, profileFolder);
  child.send(task);
  const report = await child.next();
  await child.ended();
  return report;
}

/** In the child: answers the first task and lets the process end. */
export function answer<Task, Report>(work: (task: Task) => Promise<Report>): void {
  carryOut(async (task: Task) => process.send?.(await work(task)));
}

/** In the child: works on the first task, which may tell something on the way, and lets the process end. */
export function carryOut<Task>(work: (task: Task) => Promise<unknown>): void {
  process.once('message', (message) => {
    // Both ends are files of this repository.
    work(message as Task)
      .catch((error: unknown) => {
        process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
        process.exitCode = 1;
      })
      .finally(() => {
        process.disconnect();
      });
  });
}

/** Seconds of the clock and of this process's CPU since it was made. */
export interface Spent {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export function spending(): () => Spent {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { seconds: (performance.now() - startedAt) / 1000, cpuSeconds: (user + system) / 1e6 };
  };
}
