import type { KafkaAdmin } from './kafka-admin.ts';
import { toPipelineError } from './kafka-errors.ts';

/** What a broker answers about a group that it no longer has. */
const ALREADY_GONE = 'GROUP_ID_NOT_FOUND';

/** Deletes a consumer group that has no member any more, `group` with its prefix. Harmless when there is none. */
export async function forgetGroup(admin: KafkaAdmin, group: string): Promise<void> {
  try {
    await (await admin.connected()).deleteGroups([group]);
  } catch (error) {
    const refusals = groupRefusals(error);
    if (refusals.length > 0 && refusals.every(({ error: { type } = {} }) => type === ALREADY_GONE)) return;
    throw toPipelineError(`delete the group ${group}`, refusals[0]?.error ?? error);
  }
}

interface GroupRefusal {
  readonly error?: { readonly type?: string };
}

/** kafkajs puts what a broker said about each group beside its own error, or into the cause of that. */
function groupRefusals(error: unknown): readonly GroupRefusal[] {
  for (let link = error, depth = 0; link instanceof Error && depth < 5; link = link.cause, depth++) {
    if ('groups' in link && Array.isArray(link.groups)) return link.groups as GroupRefusal[];
  }
  return [];
}
