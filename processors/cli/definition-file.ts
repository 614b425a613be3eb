import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Whether a file says exactly this. */
export async function holds(file: string, text: string): Promise<boolean> {
  try {
    return (await readFile(file, 'utf8')) === text;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** Never half a file: whoever starts meanwhile reads the old one or the new one. */
export async function replaceFile(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  // Names that begin with a dot are no definitions.
  const draft = join(dirname(file), `.${process.pid}.tmp`);
  await writeFile(draft, text);
  await rename(draft, file);
}
