import type { CustomerEvent } from '../../schemas/types.ts';
import type { Picked, ReadFields } from '../core/processor.ts';
import type { AskedFields } from './event-fields.ts';

/** What the rules of this processor always read of an event; of the other fields nothing is made unless a definition asks. */
export const READ_FIELDS = {
  kind: true,
  identity: true,
  interaction: {
    eventId: true,
    occurredAt: true,
    channel: true,
    type: true,
    pageViewId: true,
    campaignId: true,
    messageId: true,
    order: { orderId: true, amountMinor: true, currency: true, guest: true },
    score: true,
    engagedMs: true,
    machineGenerated: true,
    experiment: { experimentId: true, variant: true },
    attributes: true,
  },
} as const;

type AlwaysRead = Picked<CustomerEvent, typeof READ_FIELDS>;
export type FoldedInteraction = NonNullable<AlwaysRead['interaction']> & Partial<AskedFields>;
export type FoldedEvent = Omit<AlwaysRead, 'interaction'> & { readonly interaction: FoldedInteraction | null };

/** What is read when definitions ask for these fields of an interaction as well. */
export function readFieldsWith(asked: readonly ReadFields[]): ReadFields {
  return { ...READ_FIELDS, interaction: asked.reduce<ReadFields>(joined, READ_FIELDS.interaction) };
}

function joined(left: ReadFields, right: ReadFields): ReadFields {
  const both: Record<string, true | ReadFields> = { ...left };
  for (const [name, below] of Object.entries(right)) {
    const own = both[name];
    both[name] = own === undefined ? below : own === true || below === true ? true : joined(own, below);
  }
  return both;
}
