import type { Finding } from '../runtime/accept-loss.ts';
import type { Loss } from '../runtime/loss.ts';
import { columns } from './terminal.ts';

export interface AcceptReport {
  readonly dryRun: boolean;
  /** How many partitions lost something, as they were found. */
  readonly lost: number;
  readonly partitions: readonly Finding[];
}

export function describeAccept({ dryRun, lost, partitions }: AcceptReport): string {
  const rows = partitions.map(({ processor, topic, partition, losses, epoch, next }) => [
    processor,
    `${topic}/${partition}`,
    losses.length === 0 ? 'ok' : losses.map(statusOf).join(', '),
    losses.length === 0 ? `epoch ${epoch}, next ${next}` : `epoch ${epoch} from offset ${next} on`,
  ]);
  const table = columns([['PROCESSOR', 'PARTITION', 'FOUND', dryRun ? 'GOES ON' : 'WENT ON'], ...rows]);
  const reasons = partitions.flatMap(({ losses }) => losses.map(({ message }) => message));
  const noun = `${lost} partition${lost === 1 ? '' : 's'}`;
  const end =
    lost === 0
      ? 'Nothing is lost: nothing to do.'
      : dryRun
        ? `${noun} would go on in the next epoch; --yes does it.`
        : `${noun} went on in the next epoch: start the processors again.`;
  return [table, ...reasons, end].join('\n');
}

function statusOf({ code, missing }: Loss): string {
  const what = code === 'store_behind' ? 'block' : 'offset';
  return `${code} (${missing} ${what}${missing === 1 ? '' : 's'})`;
}
