import { describe, expect, test } from 'vitest';
import { Standstill, STANDSTILL_MS } from '../../processors/runtime/standstill.ts';

const TOPIC = 'numbers.v1';
const SECOND = 1_000;

/** Partitions that are waited for up to offset 100, and a clock that a test moves. */
function watched(...done: number[]) {
  let elapsed = 0;
  let seconds = 0;
  const standstill = new Standstill(() => elapsed);
  const look = (): number[] =>
    standstill
      .look(
        TOPIC,
        done.map((each, partition) => ({ partition, offset: 100, done: each })),
      )
      .map(({ partition }) => partition);
  return {
    done,
    look,
    passedBy: () => standstill.passedBy,
    /** The last partition gets on: it folds what came after that which is waited for, every so many seconds. */
    last(everySeconds = 1): () => void {
      return () => {
        seconds += 1;
        if (seconds % everySeconds === 0) done[done.length - 1] = (done.at(-1) ?? 0) + 1;
      };
    },
    /** Looks once a second for so long; `step` is what happens before each look. */
    pass(ms: number, step: () => void = () => undefined): number[] {
      let waited = look();
      for (const until = elapsed + ms; elapsed < until;) {
        elapsed += SECOND;
        step();
        waited = look();
      }
      return waited;
    },
    sleep(ms: number): void {
      elapsed += ms;
    },
  };
}

describe('a partition that stands still', () => {
  test('is waited for a minute, and no longer, while another gets on', () => {
    const log = watched(7, 100);
    expect(log.pass(STANDSTILL_MS - SECOND, log.last())).toEqual([0, 1]);
    expect(log.passedBy()).toEqual([]);
    expect(log.pass(SECOND, log.last())).toEqual([1]);
    expect(log.passedBy()).toEqual([{ topic: TOPIC, partition: 0 }]);
  });

  test('is waited for a minute, and no longer, while another gets on that is behind itself, however slowly', () => {
    const log = watched(7, 0);
    const slowly = log.last(5);
    expect(log.pass(STANDSTILL_MS - 10 * SECOND, slowly)).toEqual([0, 1]);
    expect(log.pass(10 * SECOND, slowly)).toEqual([1]);
  });

  test('is waited for longer where others seldom get on: each time proves ten seconds at the most', () => {
    const log = watched(7, 100, 100);
    const seldom = log.last(30);
    expect(log.pass(150 * SECOND, seldom)).toEqual([0, 1, 2]);
    expect(log.pass(30 * SECOND, seldom)).toEqual([1, 2]);
  });

  test('is waited for, however long, while all others have nothing to do: their group may be away', () => {
    const log = watched(7, 100, 100, 100, 100);
    expect(log.pass(60 * STANDSTILL_MS)).toEqual([0, 1, 2, 3, 4]);
    expect(log.passedBy()).toEqual([]);
    // It comes back. Others are taken over first, and this one has its minute.
    expect(log.pass(STANDSTILL_MS / 2, log.last())).toEqual([0, 1, 2, 3, 4]);
    log.done[0] = 100;
    expect(log.pass(STANDSTILL_MS, log.last())).toEqual([0, 1, 2, 3, 4]);
  });

  test('is waited for by what others did since it waits, not by what they did before', () => {
    const log = watched(100, 100);
    log.pass(10 * STANDSTILL_MS, log.last());
    log.done[0] = 99;
    expect(log.look()).toEqual([0, 1]);
    expect(log.pass(STANDSTILL_MS - SECOND, log.last())).toEqual([0, 1]);
  });

  test('counts again as soon as it gets on', () => {
    const log = watched(7, 100);
    log.pass(2 * STANDSTILL_MS, log.last());
    log.done[0] = 8;
    expect(log.look()).toEqual([0, 1]);
    expect(log.passedBy()).toEqual([]);
    expect(log.pass(STANDSTILL_MS - SECOND, log.last())).toEqual([0, 1]);
    expect(log.pass(SECOND, log.last())).toEqual([1]);
  });

  test('is waited for while no partition gets on: the store is away, or everybody', () => {
    const log = watched(7, 8);
    expect(log.pass(10 * STANDSTILL_MS)).toEqual([0, 1]);
    // The first that gets on does not leave the others behind.
    log.done[1] = 9;
    expect(log.look()).toEqual([0, 1]);
    expect(log.pass(STANDSTILL_MS / 2, log.last())).toEqual([0, 1]);
  });

  test('is not told by a process that slept itself', () => {
    const log = watched(7, 100);
    log.pass(SECOND, log.last());
    log.sleep(100 * STANDSTILL_MS);
    log.last()();
    expect(log.look()).toEqual([0, 1]);
  });

  test('alone in its topic is waited for: nothing tells it from one whose group is away', () => {
    expect(watched(7).pass(10 * STANDSTILL_MS)).toEqual([0]);
  });
});
