import { readFingerprint, writeFingerprint, type Fingerprint } from '../core/fingerprint.ts';
import { NEVER } from '../core/processor.ts';
import type { MergeablePart } from './parts.ts';

/** How many messages a customer remembers as opened or clicked, the newest by first open or click. */
export const REMEMBERED_MESSAGES = 64;

export const BY_PERSON = 1;
export const BY_MACHINE = 2;

/** By whom a message was opened and clicked: BY_PERSON, BY_MACHINE, both or nobody. */
export interface Message {
  readonly id: Fingerprint;
  opened: number;
  clicked: number;
}

/** Messages that the customer opened or clicked, so that each counts once. */
export const MESSAGES_PART: MergeablePart<Message[]> = {
  id: 41,
  initial: () => [],

  read(reader) {
    const messages: Message[] = [];
    for (let left = reader.uint(); left > 0; left--) {
      const id = readFingerprint(reader);
      const bits = reader.byte();
      messages.push({ id, opened: bits & 3, clicked: bits >> 2 });
    }
    return messages;
  },

  write(messages, writer) {
    if (messages.length === 0) return;
    writer.uint(messages.length);
    for (const { id, opened, clicked } of messages) {
      writeFingerprint(id, writer);
      writer.byte(opened | (clicked << 2));
    }
  },

  nextDue: () => NEVER,

  /** What both opened was counted twice, and stays so: it was two customers who did. */
  merge(into, from) {
    for (const { id, opened, clicked } of from) {
      note(into, id, 'opened', opened);
      note(into, id, 'clicked', clicked);
    }
  },
};

/** Notes that a message was opened or clicked; answers by whom it had been before. The oldest beyond the bound is forgotten. */
export function note(messages: Message[], id: Fingerprint, what: keyof Omit<Message, 'id'>, by: number): number {
  let message = messages.find((each) => each.id === id);
  if (message === undefined) {
    message = { id, opened: 0, clicked: 0 };
    messages.push(message);
    if (messages.length > REMEMBERED_MESSAGES) messages.shift();
  }
  const before = message[what];
  message[what] = before | by;
  return before;
}
