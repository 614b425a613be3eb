import { access, mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { withLock } from './native-lock.ts';

const ABANDONED_AFTER_MS = 3_600_000;

/** Where downloads and the stack of `npm run services` stay. */
export function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'];
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'kizuna');
}

/**
 * The folder `<cache>/<name>`, built once by `build` in a temporary folder beside it and then renamed, so that it is either
 * absent or whole, also when two processes build it or one is killed. `name` carries the version and the recipe's revision.
 */
export async function cached(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const cache = cacheFolder();
  const target = join(cache, name);
  if (await exists(target)) return target;
  await mkdir(cache, { recursive: true });
  // The lock spares the second process the download; correctness rests on the rename alone.
  return withLock(join(cache, `${name}.lock`), async () => {
    if (await exists(target)) return target;
    await removeAbandoned(cache);
    const folder = await mkdtemp(join(cache, `.building-${name}-`));
    try {
      await build(folder);
      await utimes(folder, new Date(), new Date());
      await rename(folder, target);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      if (!(await exists(target))) throw error;
    }
    return target;
  });
}

async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith('.building-')) continue;
    const folder = join(cache, name);
    const age =
      Date.now() -
      (await stat(folder).then(
        (found) => found.mtimeMs,
        () => Date.now(),
      ));
    if (age > ABANDONED_AFTER_MS) await rm(folder, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
