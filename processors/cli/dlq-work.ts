import type { Instant } from '../core/processor.ts';
import type { DeadLetterReceipts, ReceiptStamp } from '../runtime/dead-letter-receipts.ts';
import type { Clock, Emitter, Log, OutgoingRecord } from '../runtime/ports.ts';
import { auditFacts } from './dlq-audit.ts';
import { placeOf } from './dlq-letter.ts';
import { judgeDiscard, judgeRedrive, type RedriveRules, type Refused } from './dlq-plan.ts';
import type { FoundLetter, OnLetters } from './dlq-scan.ts';

/** What a run did, or would do: letters counted by `<reason> <topic they go to>`. */
export interface WorkDone {
  readonly taken: Map<string, { readonly reason: string; readonly target: string | null; letters: number }>;
  readonly refused: Map<Refused, number>;
  /** Redriven or discarded before. */
  before: number;
  /** Left for another run by --max. */
  beyondMax: number;
}

export interface WorkPorts {
  readonly receipts: DeadLetterReceipts;
  readonly emitter: Emitter;
  readonly clock: Clock;
  /** Lets so many milliseconds pass. */
  readonly rest: (ms: number) => Promise<void>;
  /** One line for each letter. */
  readonly audit: Log;
}

export interface WorkOptions {
  readonly dryRun: boolean;
  readonly max: number;
  readonly perSecond: number;
  readonly again: boolean;
  readonly stamp: Omit<ReceiptStamp, 'at'>;
  readonly signal: AbortSignal;
}

interface Task {
  readonly found: FoundLetter;
  /** null: to be discarded. */
  readonly record: OutgoingRecord | null;
}

/** What is claimed, sent and settled at once: a run that is killed leaves no more than this in doubt. */
const CHUNK_LETTERS = 100;
const CHUNKS_A_SECOND = 10;
const CHUNK_BYTES = 4 * 1024 * 1024;
const ALIVE_EVERY_MS = 500;

/** Sends back, or files away, the letters it is given, up to `max` of them; on a dry run it only counts. */
export class DeadLetterWork {
  readonly done: WorkDone = { taken: new Map(), refused: new Map(), before: 0, beyondMax: 0 };
  readonly #ports: WorkPorts;
  readonly #options: WorkOptions;
  readonly #rules: Omit<RedriveRules, 'now'> | null;
  #nextAt: Instant = 0;
  #count = 0;

  /** `rules`: of a redrive; null to discard. */
  constructor(ports: WorkPorts, options: WorkOptions, rules: Omit<RedriveRules, 'now'> | null) {
    this.#ports = ports;
    this.#options = options;
    this.#rules = rules;
  }

  get count(): number {
    return this.#count;
  }

  readonly onLetters: OnLetters = async (letters, alive) => {
    let chunk: Task[] = [];
    let bytes = 0;
    const size = Math.min(CHUNK_LETTERS, Math.ceil(this.#options.perSecond / CHUNKS_A_SECOND));
    for (const found of letters) {
      if (this.#options.signal.aborted) break;
      const task = this.#judge(found);
      if (task === null) continue;
      if (this.#count + chunk.length >= this.#options.max) {
        this.done.beyondMax += 1;
        continue;
      }
      const letterBytes = found.letter.record.value?.length ?? 0;
      if (chunk.length > 0 && (chunk.length >= size || bytes + letterBytes > CHUNK_BYTES)) {
        await this.#work(chunk, alive);
        chunk = [];
        bytes = 0;
      }
      chunk.push(task);
      bytes += letterBytes;
    }
    if (chunk.length > 0 && !this.#options.signal.aborted) await this.#work(chunk, alive);
  };

  #judge(found: FoundLetter): Task | null {
    const { letter, receipt } = found;
    const now = this.#ports.clock.now();
    if (this.#rules === null) {
      const held = judgeDiscard(receipt, now);
      if (held === null) return { found, record: null };
      if (held === 'done') this.done.before += 1;
      else this.#refuse(held);
      return null;
    }
    const verdict = judgeRedrive(letter, receipt, { ...this.#rules, now });
    switch (verdict.kind) {
      case 'redrive':
        return { found, record: verdict.record };
      case 'refuse':
        this.#refuse(verdict.why);
        return null;
      case 'done':
        this.done.before += 1;
        return null;
    }
  }

  #refuse(why: Refused): void {
    this.done.refused.set(why, (this.done.refused.get(why) ?? 0) + 1);
  }

  /** Claim, send, settle, in this order: a letter whose end is not known may be sent again, but none is forgotten. */
  async #work(chunk: readonly Task[], alive: () => Promise<void>): Promise<void> {
    const { dryRun, again, stamp } = this.#options;
    if (dryRun) {
      for (const task of chunk) this.#took(task);
      return;
    }
    const { receipts, emitter, clock } = this.#ports;
    const begunAt = clock.now();
    const status = this.#rules === null ? 'discarded' : 'redriving';
    const claims = chunk.map(({ found: { id, letter } }) => ({ id, facts: auditFacts(letter) }));
    const mine = await receipts.claim(claims, status, { ...stamp, at: clock.now() }, again);
    const tasks = chunk.filter(({ found }) => mine.has(found.id));
    for (let taken = tasks.length; taken < chunk.length; taken++) this.#refuse('claimed');
    const records = tasks.flatMap(({ record }) => record ?? []);
    if (records.length > 0) {
      await emitter.send(records);
      await receipts.settle(
        tasks.map(({ found }) => found.id),
        { ...stamp, at: clock.now() },
      );
    }
    for (const task of tasks) {
      this.#took(task);
      this.#tell(task);
    }
    if (records.length > 0) await this.#keepPace(records.length, begunAt, alive);
  }

  #took({ found: { letter }, record }: Task): void {
    this.#count += 1;
    const target = record?.topic ?? null;
    const name = `${letter.reason} ${target ?? ''}`;
    const counted = this.done.taken.get(name) ?? { reason: letter.reason, target, letters: 0 };
    counted.letters += 1;
    this.done.taken.set(name, counted);
  }

  #tell({ found: { letter }, record }: Task): void {
    const { by, run, note } = this.#options.stamp;
    const { reason, stage, origin, redrives } = letter;
    const line = { letter: placeOf(letter), reason, stage, origin, redrives, by, run, ...(note !== '' && { note }) };
    if (record === null) this.#ports.audit.info('dead letter discarded', line);
    else this.#ports.audit.info('dead letter redriven', { ...line, to: record.topic, timestamp: record.timestamp });
  }

  /** Time that passed without a send is no credit: what was slow to begin does not make up for it. */
  async #keepPace(records: number, begunAt: Instant, alive: () => Promise<void>): Promise<void> {
    const { clock, rest } = this.#ports;
    this.#nextAt = Math.max(this.#nextAt, begunAt) + (records / this.#options.perSecond) * 1000;
    for (let leftMs = this.#nextAt - clock.now(); leftMs > 0 && !this.#options.signal.aborted;) {
      const step = Math.min(leftMs, ALIVE_EVERY_MS);
      await rest(step);
      await alive();
      leftMs -= step;
    }
  }
}
