import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readdir, readFile, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

/** What the machine lacks to run a service, one sentence each with how to install it. Nothing is wrong with the code. */
export class ServicesUnavailable extends Error {
  override readonly name = 'ServicesUnavailable';
  readonly missing: readonly string[];

  constructor(missing: readonly string[], cause?: unknown) {
    super(missing.join('\n'), cause === undefined ? undefined : { cause });
    this.missing = missing;
  }
}

export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter).filter((entry) => entry !== '')) {
    const path = join(folder, name);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

/** The path of `name`, or ServicesUnavailable with `howToInstall`. */
export async function requireProgram(name: string, howToInstall: string): Promise<string> {
  const path = await findProgram(name);
  if (path === undefined) throw new ServicesUnavailable([`${name} is not on PATH: ${howToInstall}`]);
  return path;
}

/** Runs a program to its end and resolves with what it printed; rejects with the last lines it printed when it fails. */
export async function runProgram(program: string, args: readonly string[], folder: string): Promise<string> {
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  const collect = (chunk: Buffer): void => void (printed += chunk.toString());
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  child.once('error', reject);
  child.once('close', (code, signal) => {
    if (code === 0) resolve(printed);
    else reject(new Error(`${program} ended with ${code ?? signal ?? 'nothing'}:\n${lastLines(printed, 15)}`));
  });
  return promise;
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** The `java` of the oldest installed JDK or JRE of at least version `atLeast`: the closest to what a service is built for. */
export async function findJava(atLeast: number, neededBy: string): Promise<string> {
  const found: { java: string; version: number }[] = [];
  for (const home of await javaHomes()) {
    const version = await javaVersion(home);
    if (version !== undefined && version >= atLeast) found.push({ java: join(home, 'bin', 'java'), version });
  }
  const [best] = found.sort((a, b) => a.version - b.version);
  if (best !== undefined) return best.java;
  throw new ServicesUnavailable([
    `${neededBy} needs Java ${atLeast} or newer, and none was found in JAVA_HOME, /usr/lib/jvm or PATH: ` +
      `install openjdk-21-jre-headless (Debian 13, Ubuntu 24.04), temurin-25-jdk (Adoptium's packages, Debian 12) or \`brew install openjdk\``,
  ]);
}

async function javaHomes(): Promise<string[]> {
  const homes: string[] = [];
  if (process.env['JAVA_HOME'] !== undefined) homes.push(process.env['JAVA_HOME']);
  const onPath = await findProgram('java');
  if (onPath !== undefined) homes.push(dirname(dirname(await realpath(onPath))));
  const foldersOfHomes: [string, string][] = [
    ['/usr/lib/jvm', ''],
    ['/Library/Java/JavaVirtualMachines', 'Contents/Home'],
    [join(homedir(), '.sdkman/candidates/java'), ''],
    ['/opt/homebrew/opt', 'libexec/openjdk.jdk/Contents/Home'],
  ];
  for (const [folder, below] of foldersOfHomes) {
    const names = await readdir(folder).catch(() => []);
    homes.push(...names.map((name) => join(folder, name, below)));
  }
  return homes;
}

/** The major version that `home` holds; undefined when no java runs there. */
async function javaVersion(home: string): Promise<number | undefined> {
  const java = join(home, 'bin', 'java');
  if (
    !(await access(java, constants.X_OK).then(
      () => true,
      () => false,
    ))
  )
    return undefined;
  const release = await readFile(join(home, 'release'), 'utf8').catch(() => '');
  const stated = /^JAVA_VERSION="(?:1\.)?(\d+)/m.exec(release)?.[1];
  if (stated !== undefined) return Number(stated);
  const printed = await runProgram(java, ['-version'], '/').catch(() => '');
  const told = /version "(?:1\.)?(\d+)/.exec(printed)?.[1];
  return told === undefined ? undefined : Number(told);
}
