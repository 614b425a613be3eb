import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of definition files, gone when disposed. */
export interface DefinitionsFolder extends AsyncDisposable {
  readonly folder: string;
}

/** Writes segments (their rules by id, for every brand), churn models (by brand), experiments and triggers (without their ids) as files. */
export async function writeDefinitions(
  segments: Readonly<Record<string, object>>,
  churn: Readonly<Record<string, object>> = {},
  experiments: Readonly<Record<string, object>> = {},
  triggers: Readonly<Record<string, object>> = {},
): Promise<DefinitionsFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'kizuna-definitions-'));
  for (const kind of ['segments', 'churn', 'experiments', 'triggers']) await mkdir(join(folder, kind));
  for (const [id, where] of Object.entries(segments)) {
    await writeFile(join(folder, `segments/${id}.json`), JSON.stringify({ id, name: id, brands: ['*'], where }));
  }
  for (const [brand, model] of Object.entries(churn)) {
    await writeFile(join(folder, `churn/${brand}.json`), JSON.stringify(model));
  }
  for (const [id, experiment] of Object.entries(experiments)) {
    await writeFile(join(folder, `experiments/${id}.json`), JSON.stringify({ id, name: id, ...experiment }));
  }
  for (const [id, settings] of Object.entries(triggers)) {
    await writeFile(join(folder, `triggers/${id}.json`), JSON.stringify({ id, ...settings }));
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
