import { setTimeout as wait } from 'node:timers/promises';

const LOOK_AGAIN_MS = 50;

/**
 * Resolves with the first answer that is not undefined; rejects after `withinMs`, saying what was waited for, what was seen
 * last when `seen` tells it, and at once when `failed` rejects.
 */
export async function waitUntil<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  options: { readonly withinMs: number; readonly failed?: Promise<never>; readonly seen?: () => string },
): Promise<T> {
  const until = performance.now() + options.withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > until) {
      throw new Error(`not within ${options.withinMs} ms: ${what}${options.seen ? `; seen: ${options.seen()}` : ''}`);
    }
    await Promise.race([wait(LOOK_AGAIN_MS), options.failed].filter((each) => each !== undefined));
  }
}
