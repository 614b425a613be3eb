import { describe, expect, test } from 'vitest';
import { Standstill, STANDSTILL_MS } from '../../processors/runtime/standstill.ts';

const TOPIC = 'numbers.v1';
const SECOND = 1_000;

/** Partitions that are waited for up to offset 100, and a clock that a test moves. */
function watched(...done: number[]) {
  let elapsed = 0;
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
  test('is waited for a minute, and no longer, while another has nothing to wait for', () => {
    const log = watched(7, 100);
    expect(log.pass(STANDSTILL_MS - SECOND)).toEqual([0, 1]);
    expect(log.passedBy()).toEqual([]);
    expect(log.pass(SECOND)).toEqual([1]);
    expect(log.passedBy()).toEqual([{ topic: TOPIC, partition: 0 }]);
  });

  test('is waited for a minute, and no longer, while another gets on, however slowly', () => {
    const log = watched(7, 0);
    let seconds = 0;
    const slowly = (): void => {
      seconds += 1;
      if (seconds % 5 === 0) log.done[1] = (log.done[1] ?? 0) + 1;
    };
    expect(log.pass(STANDSTILL_MS - 10 * SECOND, slowly)).toEqual([0, 1]);
    expect(log.pass(10 * SECOND, slowly)).toEqual([1]);
  });

  test('counts again as soon as it gets on', () => {
    const log = watched(7, 100);
    log.pass(2 * STANDSTILL_MS);
    log.done[0] = 8;
    expect(log.look()).toEqual([0, 1]);
    expect(log.passedBy()).toEqual([]);
    expect(log.pass(STANDSTILL_MS - SECOND)).toEqual([0, 1]);
    expect(log.pass(SECOND)).toEqual([1]);
  });

  test('is waited for while no partition gets on: the store is away, or everybody', () => {
    const log = watched(7, 8);
    expect(log.pass(10 * STANDSTILL_MS)).toEqual([0, 1]);
    // The first that gets on does not leave the others behind.
    log.done[1] = 9;
    expect(log.look()).toEqual([0, 1]);
    expect(log.pass(STANDSTILL_MS / 2, () => (log.done[1] = (log.done[1] ?? 0) + 1))).toEqual([0, 1]);
  });

  test('is not told by a process that slept itself', () => {
    const log = watched(7, 100);
    log.pass(SECOND);
    log.sleep(100 * STANDSTILL_MS);
    expect(log.look()).toEqual([0, 1]);
  });

  test('alone in its topic is waited for: nothing tells it from one whose group is away', () => {
    expect(watched(7).pass(10 * STANDSTILL_MS)).toEqual([0]);
  });
});
