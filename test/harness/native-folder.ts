import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from './native-lock.ts';
import { SERVICE_NAMES } from './native-stack.ts';

const NAME = /^kizuna-services-(\d+)-/;
const KEEP_LOGS_MS = 24 * 3_600_000;

/** A fresh temporary folder for one run's data and logs. What runs that ended left behind is removed: data at once, logs after a day. */
export async function runFolder(): Promise<string> {
  for (const name of await readdir(tmpdir())) {
    const pid = NAME.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const folder = join(tmpdir(), name);
    const ageMs =
      Date.now() -
      (await stat(folder).then(
        (found) => found.mtimeMs,
        () => Date.now(),
      ));
    if (ageMs > KEEP_LOGS_MS) await rm(folder, { recursive: true, force: true });
    else await removeData(folder);
  }
  return mkdtemp(join(tmpdir(), `kizuna-services-${process.pid}-`));
}

/** Removes the data of every service; the logs stay. */
export async function removeData(folder: string): Promise<void> {
  for (const name of SERVICE_NAMES) await rm(join(folder, name), { recursive: true, force: true });
}
