import { replay } from '../../processors/cli/replay-run.ts';
import { openInput, readInteractions } from '../../processors/cli/replay-input.ts';
import { loadDefinitions } from '../../processors/definitions/load.ts';
import { answer, spending, type Spent } from './child-process.ts';

/** With `to` null the file is only read: the ceiling. */
export interface ReplayTask {
  readonly file: string;
  readonly to: string | null;
  readonly definitions: string;
}

export type ReplayReport = Spent & { readonly lines: number; readonly customers: number };

answer(async ({ file, to, definitions: folder }: ReplayTask): Promise<ReplayReport> => {
  const definitions = await loadDefinitions(folder);
  const spent = spending();
  if (to !== null) {
    const { records: lines, customers } = await replay({ file, to, definitions, until: null });
    return { ...spent(), lines, customers };
  }
  let lines = 0;
  await using input = await openInput(file);
  for await (const some of readInteractions(input)) for (const line of some) if ('interaction' in line) lines++;
  return { ...spent(), lines, customers: 0 };
});
