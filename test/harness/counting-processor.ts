import type { Output, StatefulProcessor } from '../../processors/core/processor.ts';
import { NEVER } from '../../processors/core/processor.ts';
import type { Codec } from '../../processors/runtime/ports.ts';

/** What one key has seen, and the deadline that its silence leads to. */
export interface Counted {
  key: string;
  clock: number;
  count: number;
  sum: number;
  silences: number;
  due: number;
}

export interface CountedRecord {
  readonly amount: number;
}

/** How long after a key's last record its silence is published. */
export const SILENCE_MS = 50;

/** A small processor with everything the runtime serves: state, deadlines, outputs, totals, skips and rejects. */
export const counting: StatefulProcessor<Counted, CountedRecord, { events: number }, number> = {
  kind: 'stateful',
  name: 'counting',
  version: 1,
  inputs: ['numbers.v1'],
  outputs: ['counts.v1'],
  state: {
    pack(state, writer) {
      writer.string(state.key);
      for (const value of [state.clock, state.count, state.sum, state.silences]) writer.uint(value);
      writer.uint(state.due === NEVER ? 0 : state.due);
    },
    unpack(reader) {
      const key = reader.string();
      const [clock, count, sum, silences, due] = [
        reader.uint(),
        reader.uint(),
        reader.uint(),
        reader.uint(),
        reader.uint(),
      ];
      return { key, clock, count, sum, silences, due: due === 0 ? NEVER : due };
    },
    summarize(reader) {
      return { key: reader.string(), at: reader.uint() };
    },
  },
  totals: {
    initial: () => ({ events: 0 }),
    contribute(totals, addition) {
      totals.events += addition;
    },
    pack(totals, writer) {
      writer.uint(totals.events);
    },
    unpack: (reader) => ({ events: reader.uint() }),
    gauges: (totals) => [{ name: 'customers', labels: { brand: 'b', churn_band: 'LOW' }, value: totals.events }],
  },
  initial: (key) => ({ key, clock: 0, count: 0, sum: 0, silences: 0, due: NEVER }),
  clock: (state) => state.clock,
  advance(state, now) {
    state.clock = Math.max(state.clock, now);
  },
  nextDue: (state) => state.due,
  onRecord(state, { amount }, now) {
    if (amount < 0) return { kind: 'reject', reason: 'invalid_order', message: 'amount: negative' };
    if (amount === 0) return { kind: 'skip', reason: 'unknown_type' };
    state.count += 1;
    state.sum += amount;
    state.due = now + SILENCE_MS;
    return { kind: 'apply', outputs: [output(state, 'counted', now)], contributions: [1] };
  },
  onDue(state, due) {
    state.clock = due;
    state.silences += 1;
    state.due = NEVER;
    // A suppressed output before the real one: its place in the numbering must survive.
    return { kind: 'apply', outputs: [null, output(state, 'silent', due)] };
  },
};

function output({ key, count, sum, silences }: Counted, what: string, timestamp: number): Output {
  return { topic: 'counts.v1', key, value: { what, count, sum, silences }, timestamp };
}

/** JSON stands in for Avro; anything that is not a JSON object is undecodable. */
export const jsonCodec: Codec = {
  learn: async () => undefined,
  decode(_topic, value) {
    try {
      const parsed: unknown = JSON.parse(value.toString());
      return typeof parsed === 'object' && parsed !== null ? parsed : 'undecodable';
    } catch {
      return 'undecodable';
    }
  },
  encode: (_topic, value) => Buffer.from(JSON.stringify(value)),
  encodeInto(_topic, value, writer) {
    const bytes = Buffer.from(JSON.stringify(value));
    writer.raw(bytes, 0, bytes.length);
  },
};
