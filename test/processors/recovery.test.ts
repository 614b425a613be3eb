import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import { Lane } from '../../processors/runtime/lane.ts';
import { ownPartition } from '../../processors/runtime/owned-partition.ts';
import type { EventLog, GroupHandler } from '../../processors/runtime/ports.ts';
import { Progress } from '../../processors/runtime/progress.ts';
import { Recovery } from '../../processors/runtime/recovery.ts';
import { counting } from '../harness/counting-processor.ts';
import { AT, foldedTo, send, SOON, start, world, type World } from '../harness/passing-world.ts';
import { silentLog } from '../harness/runtime-fixture.ts';
import { waitUntil } from '../harness/wait-until.ts';

/** The same log, of which the first fetches bring a batch that cannot be read. */
function unreadableAtFirst(log: World['log'], fetches: number): { log: World['log']; left: () => number } {
  let left = fetches;
  const join: EventLog['join'] = (group, topics, handler) => {
    const watched: GroupHandler = {
      assigned: (partitions) => {
        handler.assigned(partitions);
      },
      revoked: () => {
        handler.revoked();
      },
      unreadable: (at, why) => {
        handler.unreadable(at, why);
      },
      crashed: (error) => {
        handler.crashed(error);
      },
      onBatch: async (batch, heartbeat) => {
        if (left === 0) return handler.onBatch(batch, heartbeat);
        left -= 1;
        handler.unreadable(batch, new PipelineError('batch_unreadable', 'too large', { retriable: true }));
        return 'again';
      },
    };
    return log.join(group, topics, watched);
  };
  const replaced = new Proxy(log, {
    get: (of, name) => {
      if (name === 'join') return join;
      const own: unknown = Reflect.get(of, name);
      return typeof own === 'function' ? (own.bind(of) as unknown) : own;
    },
  });
  return { log: replaced, left: () => left };
}

test.each(['passing', 'counting'])(
  '%s waits before a batch that cannot be read, and leaves nothing out',
  async (name) => {
    const seen = world();
    await send(seen, 1, 20);
    const { log, left } = unreadableAtFirst(seen.log, 3);
    const group = `kizuna.${name}.v1`;
    const { member, failed } = await start({ ...seen, log }, seen.store, name === 'counting' ? counting : undefined);
    await waitUntil('three fetches', () => (left() === 1 ? true : undefined), SOON);
    expect((await seen.log.committed(group, AT.topic))[0]?.offset).toBeNull();
    await foldedTo(seen, 20, group);
    expect(failed()).toBeUndefined();
    await member.stop();
  },
);

test('a partition that was given up while it was paused is resumed, for it may come back', async () => {
  const told: string[] = [];
  const recovery = new Recovery<ReturnType<typeof ownPartition>>({
    logger: silentLog,
    progress: new Progress(),
    stopping: false,
    pause: () => told.push('paused'),
    resume: () => told.push('resumed'),
    distrust: (_partition, why) => told.push(why),
    takeOver: async () => void told.push('taken over'),
    fail: () => told.push('failed'),
  });
  const lane = new Lane(ownPartition(counting, AT));
  recovery.from(lane, new PipelineError('store_unavailable', 'away', { retriable: true }));
  lane.closed = true;
  await waitUntil('resumed', () => (told.includes('resumed') ? true : undefined), SOON);
  await wait(0);
  expect(told).toEqual(['store_error', 'paused', 'resumed']);
});
