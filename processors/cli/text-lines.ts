import { createInterface } from 'node:readline';
import type { FileHandle } from 'node:fs/promises';

/** The lines of a text file that are not blank, each with its number from 1; `progress` is told of blank ones, too. */
export async function* textLines(
  input: FileHandle,
  progress: (lines: number) => void,
): AsyncGenerator<{ readonly number: number; readonly line: string }> {
  let number = 0;
  for await (const line of createInterface({
    input: input.createReadStream({ encoding: 'utf8' }),
    crlfDelay: Infinity,
  })) {
    number += 1;
    progress(number);
    if (line.trim() !== '') yield { number, line };
  }
}
