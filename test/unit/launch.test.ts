import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const CLI = resolve(import.meta.dirname, '../../processors/cli');
const LOCKED = { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } };
const ABSENT_OPTIONAL = { 'node_modules/other-platform': { version: '2.0.0', optional: true } };

let root: string;

const write = (path: string, content: unknown): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
};

/** Starts a launcher of the copied repository; npm is a script that only says that it was called. */
function start(
  args: readonly string[],
  onOutput: (text: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
) {
  const child = spawn(process.execPath, args.slice(), { cwd: root, env: { npm_execpath: join(root, 'npm.js') } });
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    onOutput(stdout, (signal) => child.kill(signal));
  });
  return new Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>((ended) => {
    child.once('close', (code, signal) => ended({ code, signal, stdout, stderr }));
  });
}

const launch = (...args: string[]) => start(['processors/cli/launch.js', ...args]);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kizuna-launch-'));
  cpSync(CLI, join(root, 'processors/cli'), {
    recursive: true,
    filter: (path) => path === CLI || path.endsWith('.js'),
  });
  write('package.json', { type: 'module' });
  write('package-lock.json', { packages: { '': {}, ...LOCKED, ...ABSENT_OPTIONAL } });
  write(
    'npm.js',
    "import { writeFileSync } from 'node:fs';\nwriteFileSync('npm-was-called', process.argv[2] ?? '');\n",
  );
  write('ends.ts', "console.log(process.argv.slice(2).join(' '));\nprocess.exitCode = 3;\n");
  write('npm-fails.js', 'process.exitCode = 9;\n');
  write('processors/cli/main.ts', "process.stdout.write('ready');\nsetInterval(() => undefined, 60_000);\n");
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('launch.js', () => {
  test('installs when nothing is installed, then runs the file with its arguments and ends as it ends', async () => {
    const end = await launch('ends.ts', '--for', '20s');
    expect(end).toMatchObject({ code: 3, stdout: '--for 20s\n' });
    expect(end.stderr).toMatch(/^Installing .* \(npm ci\), once…\n$/);
  });

  test('installs nothing when everything is there but optional packages of other platforms', async () => {
    write('node_modules/.package-lock.json', { packages: LOCKED });
    write('node_modules/a/package.json', {});
    expect(await launch('ends.ts')).toMatchObject({ code: 3, stderr: '' });
  });

  test.each([
    ['another version is there', { 'node_modules/a': { version: '0.9.0', integrity: 'sha512-a' } }, true],
    ['another content is there', { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-b' } }, true],
    ['a package was never installed', {}, true],
    ["a package's folder is gone", LOCKED, false],
  ])('installs again when %s', async (_case, packages, folder) => {
    write('node_modules/.package-lock.json', { packages });
    if (folder) write('node_modules/a/package.json', {});
    expect((await launch('ends.ts')).stderr).toContain('npm ci');
  });

  test('says so and ends with its code when the install fails', async () => {
    cpSync(join(root, 'npm-fails.js'), join(root, 'npm.js'));
    const end = await launch('ends.ts');
    expect(end).toMatchObject({ code: 9, stdout: '' });
    expect(end.stderr).toContain('The install failed');
  });

  test('answers a call without a file with its usage', async () => {
    expect(await launch()).toMatchObject({ code: 2, stderr: expect.stringContaining('usage:') as string });
  });
});

describe('kizuna.js', () => {
  test('is ended by the signal that its program dies of', async () => {
    const end = await start(['processors/cli/kizuna.js'], (text, kill) => {
      if (text === 'ready') kill('SIGTERM');
    });
    expect(end).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  test('names what is missing on a Node that is too old and without the installed one', async () => {
    const old = "Object.defineProperty(process.versions, 'node', { value: '20.1.0' });";
    write('old.js', `${old}\nawait import('./processors/cli/kizuna.js');\n`);
    const end = await start(['old.js']);
    expect(end).toMatchObject({ code: 2, stdout: '' });
    expect(end.stderr).toContain('Kizuna needs Node 24 or newer');
  });

  test('on a Node that is too old runs the installed one, and ends as its program ends', async () => {
    const old = "Object.defineProperty(process.versions, 'node', { value: '20.1.0' });";
    write('old.js', `${old}\nawait import('./processors/cli/kizuna.js');\n`);
    const node = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
    mkdirSync(dirname(node), { recursive: true });
    writeFileSync(node, '#!/bin/sh\necho "$@"\nexit 5\n', { mode: 0o755 });
    const end = await start(['old.js', 'run', 'customer']);
    if (process.platform === 'linux') {
      expect(end).toMatchObject({ code: 5, stdout: expect.stringMatching(/main\.ts run customer\n$/) as string });
    } else expect(end.code).toBe(2);
  });
});
