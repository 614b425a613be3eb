import { createRequire } from 'node:module';
import {
  BATCH_VERSION,
  int64,
  newRoom,
  readBatches,
  versionOf,
  type FetchedRecords,
  type Room,
} from './record-batches.ts';

/**
 * kafkajs's answer to a fetch (version 11, the newest it speaks), with our records in it. It learns of each partition's
 * records one thing only: a message that stands for all of them, at the last offset they cover. By that it finds what to
 * fetch next, behind the markers of transactions too, which it would otherwise keep to itself.
 *
 *   Source: Apache Kafka protocol guide, "Fetch API", response version 11.
 */
interface FetchResponse {
  readonly throttleTime: number;
  readonly clientSideThrottleTime: number;
  readonly errorCode: number;
  readonly sessionId: number;
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly FetchedPartition[] }[];
}

interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly lastStartOffset: string;
  readonly abortedTransactions: readonly never[];
  readonly preferredReadReplica: number;
  readonly messages: readonly object[];
}

const require = createRequire(import.meta.url);

type DecodeMessages = (decoder: object) => Promise<object[]>;

const FETCHED = new WeakMap<readonly object[], FetchedRecords>();

/** The records that the messages of a batch of kafkajs stand for; undefined when it read them itself. */
export function fetchedRecords(rawMessages: readonly object[]): FetchedRecords | undefined {
  return FETCHED.get(rawMessages);
}

/** Makes kafkajs read its fetches by `decodeFetchResponse`, for the whole process. Harmless when repeated. */
export function readFetchesDirectly(): void {
  const response = require('kafkajs/src/protocol/requests/fetch/v11/response') as { decode: unknown };
  response.decode = decodeFetchResponse;
}

export async function decodeFetchResponse(bytes: Buffer): Promise<FetchResponse> {
  const reader = new ResponseReader(bytes);
  const room = newRoom();
  const clientSideThrottleTime = reader.int32();
  const errorCode = reader.int16();
  const sessionId = reader.int32();
  const responses: { topicName: string; partitions: FetchedPartition[] }[] = [];
  for (let topics = reader.int32(); topics > 0; topics--) {
    const topicName = reader.text();
    const partitions: FetchedPartition[] = [];
    for (let count = reader.int32(); count > 0; count--) partitions.push(await readPartition(reader, room));
    responses.push({ topicName, partitions });
  }
  // The throttling is the client's to do: kafkajs takes it from the field below, and 0 for the broker's own.
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses };
}

async function readPartition(reader: ResponseReader, room: Room): Promise<FetchedPartition> {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = String(reader.int64());
  const lastStableOffset = String(reader.int64());
  const lastStartOffset = String(reader.int64());
  const aborted: { producerId: bigint; firstOffset: number }[] = [];
  for (let count = reader.int32(); count > 0; count--) {
    aborted.push({ producerId: reader.bigInt64(), firstOffset: reader.int64() });
  }
  aborted.sort((a, b) => a.firstOffset - b.firstOffset);
  const preferredReadReplica = reader.int32();
  const messages = await messagesOf(reader.bytes(), aborted, room);
  return {
    ...{ partition, errorCode, highWatermark, lastStableOffset, lastStartOffset },
    // Ours to leave out, and left out.
    ...{ abortedTransactions: [], preferredReadReplica, messages },
  };
}

async function messagesOf(
  bytes: Buffer,
  aborted: Parameters<typeof readBatches>[1],
  room: Room,
): Promise<readonly object[]> {
  const version = versionOf(bytes);
  if (version === null) return [];
  if (version < BATCH_VERSION) return readByKafkajs(bytes);
  const fetched = await readBatches(bytes, aborted, room);
  if (fetched === null) return [];
  const messages = [
    { offset: String(fetched.lastOffset), key: null, value: null, isControlRecord: false, batchContext: {} },
  ];
  FETCHED.set(messages, fetched);
  return messages;
}

/** Message sets of before Kafka 0.11, which a broker hands out as they were written. */
function readByKafkajs(bytes: Buffer): Promise<object[]> {
  const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object;
  const decodeMessages = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages') as DecodeMessages;
  const sized = Buffer.allocUnsafe(4 + bytes.length);
  sized.writeInt32BE(bytes.length);
  sized.set(bytes, 4);
  return decodeMessages(new Decoder(sized));
}

class ResponseReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#skip(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#skip(4));
  }

  int64(): number {
    return int64(this.#bytes, this.#skip(8));
  }

  bigInt64(): bigint {
    return this.#bytes.readBigInt64BE(this.#skip(8));
  }

  text(): string {
    const length = this.int16();
    const from = this.#skip(length);
    return this.#bytes.toString('utf8', from, this.#at);
  }

  /** Empty for null. */
  bytes(): Buffer {
    const length = Math.max(0, this.int32());
    const from = this.#skip(length);
    return this.#bytes.subarray(from, this.#at);
  }

  #skip(length: number): number {
    const from = this.#at;
    this.#at += length;
    return from;
  }
}
