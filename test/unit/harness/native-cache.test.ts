import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cached, cacheFolder } from '../../harness/native-cache.ts';
import { withLock } from '../../harness/native-lock.ts';

let base: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'kizuna-cache-test-'));
  vi.stubEnv('XDG_CACHE_HOME', base);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(base, { recursive: true, force: true });
});

const writeTool = async (folder: string): Promise<void> => writeFile(join(folder, 'tool'), 'whole');

test('two that ask at once build once, and both get the whole folder', async () => {
  let builds = 0;
  const build = async (folder: string): Promise<void> => {
    builds += 1;
    await writeTool(folder);
  };
  const [one, other] = await Promise.all([cached('tool-1', build), cached('tool-1', build)]);
  expect(builds).toBe(1);
  expect(one).toBe(join(base, 'kizuna', 'tool-1'));
  expect(other).toBe(one);
  expect(await readFile(join(one, 'tool'), 'utf8')).toBe('whole');
});

test('what failed leaves nothing behind and is tried again', async () => {
  const failing = cached('tool-1', async (folder) => {
    await writeTool(folder);
    throw new Error('the download broke off');
  });
  await expect(failing).rejects.toThrow('the download broke off');
  expect(await readdir(cacheFolder())).toEqual([]);
  expect(await readdir(await cached('tool-1', writeTool))).toEqual(['tool']);
});

test('a folder that somebody else finished meanwhile is taken as it is', async () => {
  const target = join(cacheFolder(), 'tool-1');
  const folder = await cached('tool-1', async () => {
    await mkdir(target);
    await writeTool(target);
  });
  expect(folder).toBe(target);
  expect(await readdir(cacheFolder())).toEqual(['tool-1']);
});

test('half-built folders of processes that died long ago are removed, younger ones are not', async () => {
  const old = join(cacheFolder(), '.building-tool-1-old');
  const young = join(cacheFolder(), '.building-tool-1-young');
  await mkdir(old, { recursive: true });
  await mkdir(young);
  await utimes(old, new Date(0), new Date(0));
  await cached('tool-1', writeTool);
  expect((await readdir(cacheFolder())).toSorted()).toEqual(['.building-tool-1-young', 'tool-1']);
});

test('the lock of a process that died is taken over', async () => {
  const lock = join(base, 'lock');
  // Beyond the largest pid that Linux and macOS give out.
  await writeFile(lock, '99999999');
  expect(await withLock(lock, async () => 'done')).toBe('done');
  expect(await readdir(base)).toEqual([]);
});

test('work under one lock never overlaps', async () => {
  const lock = join(base, 'lock');
  let inside = 0;
  const work = async (): Promise<number> => {
    inside += 1;
    const seen = inside;
    await readdir(base);
    inside -= 1;
    return seen;
  };
  expect(await Promise.all([withLock(lock, work), withLock(lock, work), withLock(lock, work)])).toEqual([1, 1, 1]);
});
