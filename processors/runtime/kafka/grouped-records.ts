import type { Message } from 'kafkajs';
import type { OutgoingRecord } from '../ports.ts';

/** What kafkajs sees of a topic's records: one message that stands for all of them. */
const STANDS_FOR_ALL: Message = { value: null };

/**
 * The records of one topic, already grouped by partition. kafkajs groups messages itself by `messages.reduce(...)`, copying
 * the group's array for each message: 20,000 messages to one partition take 1.5 s. This answers that one call with what is
 * known; test/unit/kafka-grouped-records.test.ts pins it.
 */
export class GroupedRecords extends Array<Message> {
  readonly #groups: Record<number, PartitionRecords> = {};

  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  add(record: OutgoingRecord, partition: number): void {
    if (this.length === 0) this.push(STANDS_FOR_ALL);
    (this.#groups[partition] ??= new PartitionRecords()).records.push(record);
  }

  /** Not a reduction: the records by partition, whatever is asked. */
  override reduce<Groups>(): Groups {
    // kafkajs asks for no other reduction, and its type parameter is the caller's wish, not ours to check.
    return this.#groups as Groups;
  }
}

/** In place of the messages for one partition, of which kafkajs asks how many there are; produce-request.ts takes them. */
export class PartitionRecords {
  readonly records: OutgoingRecord[] = [];

  get length(): number {
    return this.records.length;
  }
}
