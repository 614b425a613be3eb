import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fault } from '../core/errors.ts';
import { suggestion } from '../core/nearest-name.ts';

/** The folders of a set of definitions. */
export const FOLDERS = [
  'brands',
  'measures',
  'ratios',
  'segments',
  'churn',
  'surveys',
  'touchpoints',
  'sentiment',
  'experiments',
  'journeys',
  'triggers',
  'affinities',
] as const;
export type Folder = (typeof FOLDERS)[number];

/** One file as it was read: JSON, of no particular shape yet. */
export interface DefinitionFile {
  /** `segments/vip.json`, for messages. */
  readonly file: string;
  /** The file's name without `.json`. */
  readonly name: string;
  readonly content: unknown;
}

/** Deeper JSON is no definition, and would exhaust the stack of whoever walks it. */
const MAX_DEPTH = 64;

/** Every JSON file of the folders, in order of name; what cannot be read is pushed to `faults`. */
export async function readDefinitionFiles(
  directory: string,
  faults: Fault[],
): Promise<Record<Folder, DefinitionFile[]>> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    faults.push({ where: directory, message: `cannot be read: ${messageOf(error)}` });
    return null;
  });
  const files = Object.fromEntries(FOLDERS.map((folder) => [folder, []])) as unknown as Record<
    Folder,
    DefinitionFile[]
  >;
  if (entries === null) return files;
  for (const entry of entries) {
    const known = FOLDERS.some((folder) => folder === entry.name) || entry.name.startsWith('.');
    // Files beside the folders are nobody's business (a README); a misspelt folder would be silently ignored.
    if (entry.isDirectory() && !known) {
      faults.push({
        where: `${entry.name}/`,
        message: `unknown folder, beside ${FOLDERS.join(', ')}${suggestion(entry.name, FOLDERS)}`,
      });
    }
  }
  // One after the other, so that faults come in the same order every time.
  for (const folder of FOLDERS) files[folder] = await readFolder(directory, folder, faults);
  return files;
}

/** Parses one file's text; a fault and `undefined` when it is not JSON. */
export function parseDefinition(file: string, text: string, faults: Fault[]): unknown {
  try {
    const content: unknown = JSON.parse(text);
    if (!deeperThan(content, MAX_DEPTH)) return content;
    faults.push({ where: file, message: `is nested deeper than ${MAX_DEPTH} levels` });
  } catch (error) {
    faults.push({ where: file, message: `is not valid JSON: ${messageOf(error)}` });
  }
  return undefined;
}

async function readFolder(directory: string, folder: Folder, faults: Fault[]): Promise<DefinitionFile[]> {
  const names = await readdir(join(directory, folder)).catch((error: unknown) => {
    // A set without this kind of definition is fine; one that cannot be read is not.
    if (!isMissing(error)) faults.push({ where: `${folder}/`, message: `cannot be read: ${messageOf(error)}` });
    return [];
  });
  const files: DefinitionFile[] = [];
  for (const name of names.sort()) {
    const file = `${folder}/${name}`;
    if (name.startsWith('.') || name.endsWith('.md')) continue;
    if (!name.endsWith('.json')) {
      faults.push({ where: file, message: 'is not a .json file' });
      continue;
    }
    const text = await readFile(join(directory, folder, name), 'utf8').catch((error: unknown) => {
      faults.push({ where: file, message: `cannot be read: ${messageOf(error)}` });
      return null;
    });
    const content = text === null ? undefined : parseDefinition(file, text, faults);
    if (content !== undefined) files.push({ file, name: name.slice(0, -'.json'.length), content });
  }
  return files;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function deeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => deeperThan(each, levels - 1));
}
