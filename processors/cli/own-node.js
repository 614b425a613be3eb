// Plain JavaScript without dependencies: this runs before anything is installed, on whatever Node the machine has.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The first Node that runs TypeScript files as they are, without a build step. */
const OLDEST_NODE_MAJOR = 24;

/** The repository's top folder. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * Runs a TypeScript file with a Node that can: in this process when it is new enough, else in a child on the Node binary
 * that npm installed, ending as the child ended.
 * @param {string} script absolute path
 * @param {string[]} args
 */
export async function runScript(script, args) {
  if (Number.parseInt(process.versions.node, 10) >= OLDEST_NODE_MAJOR) {
    process.argv = [process.execPath, script, ...args];
    await import(pathToFileURL(script).href);
    return;
  }
  const node = join(ROOT, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  if (process.platform === 'linux' && existsSync(node)) {
    endAs(await runChild(node, [script, ...args]));
    return;
  }
  const advice =
    process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64')
      ? 'The repository brings its own: run `npm ci` (optional dependencies included).'
      : `Install Node ${OLDEST_NODE_MAJOR} or newer: https://nodejs.org/en/download`;
  process.stderr.write(
    `Kizuna needs Node ${OLDEST_NODE_MAJOR} or newer; this is ${process.version} on ${process.platform} ${process.arch}.\n${advice}\n`,
  );
  process.exitCode = 2;
}

/**
 * Runs a program on this terminal and answers how it ended.
 * @param {string} program
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null }>}
 */
export function runChild(program, args, options = {}) {
  return new Promise((ended, failed) => {
    const child = spawn(program, args, { stdio: 'inherit', ...options });
    // Ctrl-C reaches the child too, as a member of the terminal's foreground group: passing it on would say it twice.
    const onTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
    const interrupt = () => void (onTerminal || child.kill('SIGINT'));
    const terminate = () => void child.kill('SIGTERM');
    process.on('SIGINT', interrupt);
    process.on('SIGTERM', terminate);
    child.once('error', failed);
    child.once('exit', (code, signal) => {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', terminate);
      ended({ code, signal });
    });
  });
}

/**
 * Ends this process as a child ended: with its code, or by its signal.
 * @param {{ code: number | null, signal: NodeJS.Signals | null }} end
 */
export function endAs({ code, signal }) {
  if (signal === null) {
    process.exitCode = code ?? 1;
    return;
  }
  // In case the signal does not end this process at once (or it is blocked), the code says what a shell would say.
  process.exitCode = 128 + (constants.signals[signal] ?? 0);
  process.kill(process.pid, signal);
}
