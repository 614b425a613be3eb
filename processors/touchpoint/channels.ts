import type { Channel } from '../../schemas/types.ts';

/** Every channel, in the order in which states and totals are packed: only ever added to. */
export const CHANNELS = [
  'UNKNOWN',
  'WEB',
  'APP',
  'EMAIL',
  'SMS',
  'WEB_PUSH',
  'APP_PUSH',
  'RCS',
  'WHATSAPP',
  'LINE',
  'SOCIAL',
  'STORE',
  'CALL_CENTER',
  'CHAT',
  'SURVEY',
  'REVIEW',
  'LOYALTY',
  'STORY',
] as const satisfies readonly Channel[];

/** The channel of that name; UNKNOWN for any other. */
export function channelOf(name: string): Channel {
  return CHANNELS.find((each) => each === name) ?? 'UNKNOWN';
}
