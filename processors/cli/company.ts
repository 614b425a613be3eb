import type { Processor } from '../core/processor.ts';
import { groupName } from '../runtime/pipeline-ports.ts';
import type { EventLog } from '../runtime/ports.ts';
import { CommandFailed } from './failure.ts';

/** Throws CommandFailed unless the group has exactly `wanted` members. `what`: the work that must be alone. */
export async function refuseCompany(log: EventLog, processor: Processor, wanted: 0 | 1, what: string): Promise<void> {
  const group = groupName(processor);
  const members = await log.members(group);
  if (members === wanted) return;
  const others = members - wanted;
  throw new CommandFailed(
    `The group ${group} has ${others} other member${others === 1 ? '' : 's'}, and ${what} must be alone: ` +
      'stop them (`kizuna run`), or wait a few seconds for those that just ended.',
  );
}
