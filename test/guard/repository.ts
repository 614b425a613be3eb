import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The repository's top folder. */
export const ROOT = resolve(import.meta.dirname, '..', '..');

const SKIPPED = new Set(['node_modules', '.git', 'coverage', '.kizuna']);

/** Absolute paths of all files below a folder, sorted; installed and generated folders are left out. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !SKIPPED.has(entry.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    })
    .toSorted();
}
