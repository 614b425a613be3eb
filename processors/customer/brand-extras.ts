import { placeOfSum } from '../core/brand-amounts.ts';
import { fingerprint } from '../core/fingerprint.ts';
import type { Instant } from '../core/processor.ts';
import { BY_MACHINE, BY_PERSON, MESSAGES_PART, note, type Message } from './messages-part.ts';
import type { OpenState } from './open-state.ts';
import type { FoldedInteraction } from './read-fields.ts';
import { foldSubscription } from './subscriptions.ts';

const REFERRALS_CONVERTED = placeOfSum('referralsConverted');
const SENT = placeOfSum('messagesSent');
const DELIVERED = placeOfSum('messagesDelivered');
const OPENS = {
  all: placeOfSum('opens'),
  repeated: placeOfSum('repeatOpens'),
  byMachine: placeOfSum('machineOpens'),
};
const CLICKS = {
  all: placeOfSum('clicks'),
  repeated: placeOfSum('repeatClicks'),
  byMachine: placeOfSum('machineClicks'),
};
const UNSUBSCRIBES = placeOfSum('unsubscribes');

/** What an interaction adds to sums of the brand that are no measures of the profile, orders aside. */
export function countExtras(interaction: FoldedInteraction, at: Instant, open: OpenState): void {
  switch (interaction.type) {
    case 'REFERRAL_CONVERTED':
      open.extras.add(REFERRALS_CONVERTED, at, 1);
      return;
    case 'MESSAGE_SENT':
      open.extras.add(SENT, at, 1);
      countOfMessage(interaction, SENT, at, 1, open);
      return;
    // These two are measures of the profile, too, from which the brand and segments have them.
    case 'MESSAGE_DELIVERED':
      countOfMessage(interaction, DELIVERED, at, 1, open);
      return;
    case 'UNSUBSCRIBED':
      countOfMessage(interaction, UNSUBSCRIBES, at, 1, open);
      return;
    case 'MESSAGE_OPENED':
      countFirst(interaction, 'opened', OPENS, at, open);
      return;
    case 'MESSAGE_CLICKED':
      countFirst(interaction, 'clicked', CLICKS, at, open);
      return;
    case 'SUBSCRIPTION_STARTED':
    case 'SUBSCRIPTION_RENEWED':
    case 'SUBSCRIPTION_CANCELLED':
      foldSubscription(interaction, at, open);
      return;
    default:
  }
}

/**
 * Of opens and clicks the profile counts those by people, every one; here is what that differs by from the first ones: repeats
 * of a message, and messages that only machines opened so far. Most customers have neither, so there is little to keep.
 * Without an id every one is the first of its message.
 */
function countFirst(
  interaction: FoldedInteraction,
  what: keyof Omit<Message, 'id'>,
  places: typeof OPENS,
  at: Instant,
  open: OpenState,
): void {
  const by = interaction.machineGenerated ? BY_MACHINE : BY_PERSON;
  let before = 0;
  if (interaction.messageId !== null) {
    const messages = open.parts.get(MESSAGES_PART);
    before = note(messages, fingerprint(interaction.messageId), what, by);
    if ((before | by) !== before) open.parts.put(MESSAGES_PART, messages);
  }
  const add = (place: number, amount: number): void => {
    open.extras.add(place, at, amount);
    countOfMessage(interaction, place, at, amount, open);
  };
  if (by === BY_MACHINE) {
    if (before === 0) add(places.byMachine, 1);
    return;
  }
  countOfMessage(interaction, places.all, at, 1, open);
  if ((before & BY_PERSON) !== 0) add(places.repeated, 1);
  else if (before === BY_MACHINE) add(places.byMachine, -1);
}

/** For the channel and the campaign of the message. */
function countOfMessage(
  { channel, campaignId }: FoldedInteraction,
  place: number,
  at: Instant,
  by: number,
  { ofMessage }: OpenState,
): void {
  ofMessage.channel = channel;
  ofMessage.campaignId = campaignId === null || campaignId.trim() === '' ? null : campaignId;
  ofMessage.postings.add(place, at, by);
}
