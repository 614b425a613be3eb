import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { TOPICS } from '../../topics/catalog.ts';
import { embedServices } from '../runtime/embed.ts';
import { ReplayOutput, TRAITS } from './replay-output.ts';
import { unpackRecords } from './replay-records.ts';
import type { OutputOrder, OutputTask } from './replay-threads.ts';

// The thread that writes a replay's files, in the order of what it is sent; it tells of each order done.
const NONE = Buffer.alloc(0);
const { folder, topics } = workerData as OutputTask;
const port = parentPort;
if (port === null) throw new Error('this file is a thread of a replay');
const orders: OutputOrder[] = [];
port.on('message', (order: OutputOrder) => orders.push(order));
await using services = await embedServices({ topics: TOPICS, partitions: 1, clock: { now: () => 0 }, keepRecords: 0 });
await services.codec.prepare([...topics, TRAITS]);
await using output = await ReplayOutput.open(folder, topics, services.codec);
for (let open = true; open;) {
  const order = orders.shift();
  if (order === undefined) {
    await once(port, 'message');
    continue;
  }
  if ('summary' in order) {
    await output.close(order.summary);
    open = false;
  } else {
    for (const record of unpackRecords(order.records)) output.add(record);
    for (const { key, value } of unpackRecords(order.profiles)) output.profile(String(key), value ?? NONE);
    await output.write();
  }
  port.postMessage(null);
}
port.unref();
