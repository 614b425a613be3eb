import { createWriteStream } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { toJson } from '../../schemas/json.ts';
import type { Benchmark } from './benchmark.ts';
import { runChild } from './child-process.ts';
import { interleavedSessions, type SessionEvents } from './events.ts';
import type { ReplayReport, ReplayTask } from './replay-process.ts';
import { writeDefinitions } from './segments.ts';
import { pastSessions } from './stage.ts';

const EVENTS_MAX = 300_000;

export const replay: Benchmark = {
  name: 'replay',
  about: 'a file of interactions replayed in one process, 100 segments',
  targets: [{ figure: 'events/s', unit: 'events/s', bound: 'at least', value: 60_000 }],
  async run({ events, folder, profileFolder, progress }) {
    const sessions = pastSessions(Math.min(events, EVENTS_MAX));
    const to = await mkdtemp(join(folder, 'replay-'));
    const file = join(to, 'interactions.ndjson');
    progress(`writing ${sessions.events} lines`);
    await pipeline(Readable.from(lines(sessions)), createWriteStream(file));
    const definitions = await writeDefinitions(join(to, 'definitions'), 100);
    const read = await runChild<ReplayTask, ReplayReport>('replay-process.ts', { file, to: null, definitions });
    progress('replaying');
    const task = { file, to: join(to, 'out'), definitions };
    const done = await runChild<ReplayTask, ReplayReport>('replay-process.ts', task, profileFolder);
    return {
      figures: { 'events/s': done.lines / done.seconds },
      ceilings: { limits: 'events/s', values: { 'read only': read.lines / read.seconds } },
      details: {
        events: done.lines,
        customers: done.customers,
        'CPU µs/event': (done.cpuSeconds / done.lines) * 1e6,
      },
    };
  },
};

function* lines(sessions: SessionEvents): Generator<string> {
  let chunk = '';
  for (const interaction of interleavedSessions(sessions)) {
    chunk += `${JSON.stringify(toJson('Interaction', interaction))}\n`;
    if (chunk.length < 1 << 20) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk;
}
