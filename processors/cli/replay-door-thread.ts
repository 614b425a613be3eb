import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { ByteWriter } from '../core/packing.ts';
import type { Meter } from '../runtime/meter.ts';
import { OutcomeMeter } from './outcome-meter.ts';
import { foldLines, openReplayChain } from './replay-chain.ts';
import { openInput } from './replay-input.ts';
import { packRecord } from './replay-records.ts';
import { IN_FLIGHT, type DoorReport, type DoorTask } from './replay-threads.ts';

/** Hands on what was counted instead of counting it. */
class NotingMeter extends OutcomeMeter {
  outcomes: Parameters<Meter['outcome']>[] = [];

  override outcome(...counted: Parameters<Meter['outcome']>): void {
    this.outcomes.push(counted);
  }
}

// The thread that reads a replay's file and folds it by the stateless processors: a few blocks ahead of whoever goes on with
// them, told of each one taken.
const { file, definitions, until } = workerData as DoorTask;
const port = parentPort;
if (port === null) throw new Error('this file is a thread of a replay');
let ahead = 0;
port.on('message', () => (ahead -= 1));
const meter = new NotingMeter();
const writer = new ByteWriter(1 << 20);
await using world = await openReplayChain(definitions, meter, (record) => packRecord(writer, record), 'stateless');
let refusals: [number, string][] = [];
const folded = await foldLines(world, await openInput(file), {
  until,
  refused: (line, fault) => void refusals.push([line, fault]),
  folded: async (lines) => {
    while (ahead >= IN_FLIGHT) await once(port, 'message');
    const records = new Uint8Array(writer.view());
    const report: DoorReport = { records, lines, refused: refusals, outcomes: meter.outcomes };
    ahead += 1;
    port.postMessage(report, [records.buffer]);
    writer.reset();
    refusals = [];
    meter.outcomes = [];
  },
});
const last: DoorReport = { folded };
port.postMessage(last);
port.unref();
