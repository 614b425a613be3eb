import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pauses } from '../../processors/runtime/kafka/pauses.ts';
import { Turns } from '../../processors/runtime/kafka/turns.ts';

type Consumer = ConstructorParameters<typeof Pauses>[0];

describe('turns', () => {
  it('lets so many in at once, the others in order', async () => {
    const turns = new Turns(2);
    const entered: number[] = [];
    const places = [0, 1, 2, 3].map(async (number) => {
      const giveBack = await turns.take();
      entered.push(number);
      return giveBack;
    });
    await Promise.all(places.slice(0, 2));
    await Promise.resolve();
    expect(entered).toEqual([0, 1]);
    (await places[1])?.();
    (await places[2])?.();
    (await places[0])?.();
    (await places[3])?.();
    expect(entered).toEqual([0, 1, 2, 3]);
    // Every place came back: two may enter without waiting.
    await Promise.all([turns.take(), turns.take()]);
  });
});

describe('pauses', () => {
  const AT = { topic: 'a.v1', partition: 3 };
  let calls: string[];
  let pauses: Pauses;

  beforeEach(() => {
    vi.useFakeTimers();
    calls = [];
    const note =
      (verb: string) =>
      (places: { topic: string; partitions?: number[] }[]): void =>
        void calls.push(...places.map(({ topic, partitions }) => `${verb} ${topic}/${String(partitions)}`));
    // Only these two of the consumer are used.
    pauses = new Pauses({ pause: note('pause'), resume: note('resume') } as unknown as Consumer, 'trial.');
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('a rest ends by itself', () => {
    pauses.rest(AT, 100);
    expect(pauses.has(AT)).toBe(false);
    vi.advanceTimersByTime(99);
    expect(calls).toEqual(['pause trial.a.v1/3']);
    vi.advanceTimersByTime(1);
    expect(calls).toEqual(['pause trial.a.v1/3', 'resume trial.a.v1/3']);
  });

  it('a rest does not end a pause of the handler, nor a resume the rest', () => {
    pauses.rest(AT, 100);
    pauses.pause(AT);
    vi.advanceTimersByTime(100);
    expect(calls.filter((call) => call.startsWith('resume'))).toEqual([]);
    pauses.rest(AT, 100);
    pauses.resume(AT);
    expect(calls.filter((call) => call.startsWith('resume'))).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(calls.at(-1)).toBe('resume trial.a.v1/3');
  });

  it('wakes nothing up once stopped', () => {
    pauses.rest(AT, 100);
    pauses.stop();
    vi.advanceTimersByTime(1_000);
    expect(calls).toEqual(['pause trial.a.v1/3']);
  });
});
