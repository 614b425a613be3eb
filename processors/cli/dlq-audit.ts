import { placeOf, type Letter } from './dlq-letter.ts';

/**
 * What names a letter in the audit: the refused record, not the letter, since a processor that was interrupted may have
 * written the same letter twice. With the time, so that a topic that was created anew is no other's double.
 */
export function receiptId(letter: Letter): string {
  const { topic, origin, time } = letter;
  if (origin === null) return `${placeOf(letter)}@${time} (foreign)`;
  return `${topic} of ${origin.partition}/${origin.offset}@${origin.timestamp}`;
}

/** What the audit keeps of a letter: no key and no value. */
export function auditFacts({ topic, partition, origin, reason, stage, redrives, record }: Letter) {
  return { topic, partition, offset: record.offset, origin, reason, stage, redrives };
}
