import { rename, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './native-cache.ts';
import { findProgram, requireProgram, runProgram, ServicesUnavailable } from './native-tools.ts';

const PACKAGE = 'prometheus';
const HOW_TO_INSTALL =
  'install Debian’s package prometheus, `brew install prometheus`, or put the promtool of a release on PATH';

/**
 * The path of promtool: on PATH, else out of Debian's package, unpacked into the cache. Not installed: the package starts a
 * server. Rejects with ServicesUnavailable when this machine has neither.
 */
async function findPromtool(): Promise<string> {
  const onPath = await findProgram('promtool');
  if (onPath !== undefined) return onPath;
  const apt = await requireProgram('apt-get', `promtool is not on PATH either: ${HOW_TO_INSTALL}`);
  const unpack = await requireProgram('dpkg-deb', HOW_TO_INSTALL);
  const folder = await cached('promtool-of-debian', async (building) => {
    await download(apt, building);
    for (const name of await readdir(building)) await runProgram(unpack, ['-x', name, 'unpacked'], building);
    await rename(join(building, 'unpacked', 'usr', 'bin', 'promtool'), join(building, 'promtool'));
    for (const name of await readdir(building)) {
      if (name !== 'promtool') await rm(join(building, name), { recursive: true });
    }
  });
  return join(folder, 'promtool');
}

async function download(apt: string, folder: string): Promise<void> {
  const fetch = (): Promise<string> => runProgram(apt, ['download', PACKAGE], folder);
  try {
    await fetch();
  } catch (failure) {
    // A bare machine has no lists of packages yet, and only root may fetch them.
    if (process.getuid?.() !== 0)
      throw new ServicesUnavailable([`promtool is not on PATH: ${HOW_TO_INSTALL}`], failure);
    await runProgram(apt, ['update', '--quiet'], folder);
    await fetch();
  }
}

/**
 * As findPromtool; where it cannot be had it says so on stderr and resolves with undefined, so that a person can run the other
 * tests. Under CI=true it rejects: there, tests that do not run must not look like tests that pass.
 */
export async function promtoolOrSkip(): Promise<string | undefined> {
  try {
    return await findPromtool();
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`\nSKIPPED: every test of the alerts with promtool. ${reason}\n\n`);
    return undefined;
  }
}
