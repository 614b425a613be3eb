import type { Instant, Output, StatelessProcessor } from '../core/processor.ts';
import type { BlockOutput } from './block.ts';
import { OutputPacking } from './output-packing.ts';
import { deadLetter, decodeRefusal, type Refusal } from './dead-letter.ts';
import { groupName, type PipelinePorts } from './pipeline-ports.ts';
import type { LogBatch, LogRecord, TopicPartition } from './ports.ts';
import { formatPosition, POSITION_HEADER, sourceOf } from './position.ts';
import { reportLatency, reportOutcomes, reportPublished } from './report.ts';
import { SaidLately } from './said-lately.ts';
import { stopwatch } from './stopwatch.ts';
import { Tally } from './tally.ts';

/**
 * Folds one batch of a stateless processor: outputs and dead letters in input order, all acknowledged before the caller
 * commits. A repeat in the same epoch gives the same records with the same positions, which readers drop; of those that need
 * to be said only `once`, whoever says them again may say fewer. `said` belongs to the process and is told what was acknowledged.
 */
export async function runStateless(
  processor: StatelessProcessor,
  batch: LogBatch,
  ports: PipelinePorts,
  epoch: number,
  said: SaidLately = new SaidLately(),
): Promise<void> {
  if (batch.records.length === 0) return;
  const decoded = stopwatch();
  await ports.codec.learn(
    batch.topic,
    batch.records.map((record) => record.value),
  );
  ports.meter.stage(processor.name, 'decode', decoded());
  const folded = stopwatch();
  const tally = new Tally();
  const outputs: BlockOutput[] = [];
  PACKING.reset();
  const hop = new Hop(processor, batch, ports, epoch, said);
  for (const record of batch.records) hop.fold(record, tally, outputs);
  PACKING.finish();
  ports.meter.stage(processor.name, 'fold', folded());
  ports.refusals?.guard(processor.name, tally);
  const emitted = stopwatch();
  if (outputs.length > 0) await ports.emitter.send(outputs);
  said.note(hop.saying);
  ports.meter.stage(processor.name, 'emit', emitted());
  ports.refusals?.count(processor.name, tally);
  reportOutcomes(processor, batch.topic, batch.records.length, tally, ports);
  reportPublished(processor, outputs, ports);
  ports.meter.batchRecords(processor.name, batch.records.length);
  reportLatency(processor, batch.records.at(-1), hop.newest, ports);
}

// One for the process: a batch is folded without waiting.
const PACKING = new OutputPacking();

/** What stays the same for every record of a batch. */
class Hop {
  readonly #processor: StatelessProcessor;
  readonly #at: TopicPartition;
  readonly #ports: PipelinePorts;
  readonly #group: string;
  readonly #source: string;
  readonly #deadLetterTopic: string;
  readonly #said: SaidLately;
  /** What this batch says `once`, and when. */
  readonly saying = new Map<string, Instant>();
  /** The last record that could be decoded. */
  newest: object | null = null;

  constructor(
    processor: StatelessProcessor,
    at: TopicPartition,
    ports: PipelinePorts,
    epoch: number,
    said: SaidLately,
  ) {
    this.#said = said;

    this.#processor = processor;
    this.#at = { topic: at.topic, partition: at.partition };
    this.#ports = ports;
    this.#group = groupName(processor);
    this.#source = sourceOf(this.#group, epoch, at);
    this.#deadLetterTopic = ports.topics.deadLetterTopic(at.topic, this.#group);
  }

  fold(record: LogRecord, tally: Tally, outputs: BlockOutput[]): void {
    const { topic } = this.#at;
    const value =
      record.value === null ? 'null_value' : this.#ports.codec.decode(topic, record.value, this.#processor.reads);
    if (typeof value === 'string') return this.#refuse(record, decodeRefusal(value), 'decode', tally, outputs);
    this.newest = value;
    const outcome = this.#processor.onRecord(value, record.timestamp, topic);
    switch (outcome.kind) {
      case 'reject':
        return this.#refuse(record, outcome, 'fold', tally, outputs);
      case 'skip':
        return tally.skip(outcome.reason);
      case 'apply': {
        tally.applied += 1;
        for (let index = 0; index < outcome.outputs.length; index++) {
          const output = outcome.outputs[index];
          // One that is left out has its place in the numbering.
          if (output === undefined || output === null || this.#isSaid(output)) continue;
          outputs.push(this.#encode(output, record, value, index));
        }
      }
    }
  }

  #isSaid({ once, timestamp }: Output): boolean {
    if (once === undefined) return false;
    if (this.saying.has(once) || this.#said.has(once, timestamp)) return true;
    this.saying.set(once, timestamp);
    return false;
  }

  #encode(output: Output, { value: bytes, offset }: LogRecord, value: object, index: number): BlockOutput {
    const isWhole = this.#processor.reads === undefined;
    const origin = isWhole && bytes !== null ? { topic: this.#at.topic, value, bytes } : null;
    const encoded = PACKING.encode(output, Buffer.from(output.key), this.#ports.codec, origin);
    encoded.headers[POSITION_HEADER] = formatPosition(this.#source, offset, index);
    return encoded;
  }

  #refuse(record: LogRecord, refusal: Refusal, stage: 'decode' | 'fold', tally: Tally, outputs: BlockOutput[]): void {
    tally.reject(refusal.reason);
    const at = { ...this.#at, group: this.#group, stage, deadLetterTopic: this.#deadLetterTopic, straight: true };
    const letter = deadLetter(record, refusal, at);
    letter.headers[POSITION_HEADER] = formatPosition(this.#source, record.offset, 0);
    outputs.push(letter);
  }
}
