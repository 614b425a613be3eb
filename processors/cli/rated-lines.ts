import { z } from 'zod';
import { readText } from '../sentiment/sentiment-grams.ts';
import { feelingOf, type RatedText } from '../sentiment/rated-text.ts';
import { CommandFailed } from './failure.ts';
import { openInput } from './replay-input.ts';
import { textLines } from './text-lines.ts';

/** What a file of rated feedback holds. */
export interface RatedLines {
  readonly rated: readonly RatedText[];
  /** Lines whose text, as it is read, another line before had: they would be in training and test at once. */
  readonly repeated: number;
}

const Line = z.object({
  text: z.string().min(1),
  rating: z.number(),
  /** The worst rating and the best. */
  scale: z.tuple([z.number(), z.number()]).default([1, 5]),
});

/**
 * Reads one JSON object a line: `text`, `rating`, and `scale` where it is not `[1, 5]`; other fields are left alone.
 *
 * @throws CommandFailed with the line that is none; it never quotes the text
 */
export async function readRated(file: string, progress: (lines: number) => void): Promise<RatedLines> {
  await using input = await openInput(file);
  const rated = new Map<string, RatedText>();
  let texts = 0;
  for await (const { number, line } of textLines(input, progress)) {
    const { text, rating, scale } = parse(line, `${file} line ${number}`);
    texts += 1;
    const read = readText(text);
    if (!rated.has(read)) rated.set(read, { text: read, feeling: feelingOf(rating, scale) });
  }
  return { rated: [...rated.values()], repeated: texts - rated.size };
}

function parse(line: string, where: string): z.output<typeof Line> {
  let content: unknown;
  try {
    content = JSON.parse(line);
  } catch {
    throw new CommandFailed(`${where}: is not JSON`);
  }
  const parsed = Line.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new CommandFailed(`${where}: ${issue?.path.map(String).join('.') || 'it'}: ${issue?.message ?? 'is wrong'}`);
  }
  const { rating, scale } = parsed.data;
  const [worst, best] = scale;
  if (worst === best || rating < Math.min(worst, best) || rating > Math.max(worst, best)) {
    throw new CommandFailed(`${where}: rating: ${rating} is not on the scale ${worst} to ${best}`);
  }
  return parsed.data;
}
