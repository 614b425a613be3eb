import { ByteReader } from '../../processors/core/packing.ts';
import { ownPartition, type OwnedPartition } from '../../processors/runtime/owned-partition.ts';
import type { PipelinePorts } from '../../processors/runtime/pipeline-ports.ts';
import type { LogRecord } from '../../processors/runtime/ports.ts';
import { runBatch } from '../../processors/runtime/run-batch.ts';
import { counting } from './counting-processor.ts';
import { FixedLog } from './runtime-fixture.ts';

export const AT = { topic: 'numbers.v1', partition: 0 };
export const SOURCE = 'kizuna.counting.v1@1/numbers.v1/0';
export const noHeartbeat = async (): Promise<void> => undefined;

export function process(ports: PipelinePorts): OwnedPartition {
  const partition = ownPartition(counting, AT);
  ports.owned.add(partition);
  return partition;
}

/** Folds one batch; `waiting`: how many more records the log holds behind it. */
export async function fold(
  partition: OwnedPartition,
  ports: PipelinePorts,
  records: readonly LogRecord[],
  waiting = 0,
): Promise<void> {
  const next = (records.at(-1)?.offset ?? -1) + 1;
  await runBatch(partition, { ...AT, records, next, logEnd: next + waiting }, ports, noHeartbeat);
}

/** A log that really holds the records, so that a take-over finds its end. */
export function logOf(records: readonly LogRecord[]): FixedLog {
  const log = new FixedLog();
  log.records.push(...records);
  return log;
}

export async function countOf(ports: PipelinePorts, key: string): Promise<number | undefined> {
  const [stored] = await ports.store.documents('counting.v1').load([key]);
  return stored === undefined ? undefined : counting.state.unpack(new ByteReader(stored.state)).count;
}
