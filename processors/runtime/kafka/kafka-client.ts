import type { ConnectionOptions } from 'node:tls';
import kafkajs, { type Kafka, type LogEntry, type RetryOptions } from 'kafkajs';
import type { Log } from '../ports.ts';
import { registerCodecs } from './codecs.ts';
import { readFetchesDirectly } from './fetch-response.ts';
import { writeRequestsDirectly } from './produce-request.ts';

/** The part of the configuration that says how to reach Kafka. */
export interface KafkaSettings {
  /** `host:port`, at least one. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** `true`: TLS with the system's authorities. */
  readonly ssl: boolean | ConnectionOptions;
  readonly sasl: KafkaLogin | null;
}

type Login<Mechanism> = { readonly mechanism: Mechanism; readonly username: string; readonly password: string };
export type KafkaLogin = Login<'plain'> | Login<'scram-sha-256'> | Login<'scram-sha-512'>;

// Each producer warns so: with one send at a time and a new producer after any error the limit is safe.
const EXPECTED_WARNING = 'Limiting retries for the idempotent producer';
const NEGATIVE_TIMEOUT = 'TimeoutNegativeWarning';

/** The entries to kafkajs. They differ in how long they try to reach a broker. */
export interface KafkaClient {
  /** For consumers: about two minutes, since giving up ends the process. */
  readonly patient: Kafka;
  /** For everything else: about nine seconds, since whoever asks can ask again. */
  readonly prompt: Kafka;
}

const PATIENT = { retries: 30, initialRetryTime: 300, maxRetryTime: 5_000 };
const PROMPT = { retries: 5, initialRetryTime: 300, maxRetryTime: 5_000 };

/** How long kafkajs waits for one answer, before it asks again over the same connection. */
export const ANSWER_WITHIN_MS = 30_000;

/** Connects nothing yet. What kafkajs logs goes to `log`. */
export function createKafkaClient(settings: KafkaSettings, log: Log): KafkaClient {
  registerCodecs();
  readFetchesDirectly();
  writeRequestsDirectly();
  silenceNegativeTimeouts();
  const open = (retry: RetryOptions): Kafka =>
    new kafkajs.Kafka({
      clientId: settings.clientId,
      brokers: [...settings.brokers],
      ssl: settings.ssl,
      // kafkajs keeps its own in there, and the configuration is frozen.
      ...(settings.sasl === null ? {} : { sasl: { ...settings.sasl } }),
      connectionTimeout: 5_000,
      requestTimeout: ANSWER_WITHIN_MS,
      retry,
      logLevel: kafkajs.logLevel.INFO,
      logCreator: () => (entry) => forward(entry, log),
    });
  return { patient: open(PATIENT), prompt: open(PROMPT) };
}

// What kafkajs calls an error it mostly retries itself; what it cannot get over reaches us as a rejection or a crash.
function forward({ namespace, level, log: { message, ...fields } }: LogEntry, log: Log): void {
  const { logLevel } = kafkajs;
  if (level === logLevel.WARN && message.startsWith(EXPECTED_WARNING)) return;
  // The timestamp is the log's own, a stack of kafkajs's insides helps nobody.
  const line = { kafkajs: namespace, ...fields, timestamp: undefined, logger: undefined, stack: undefined };
  if (level === logLevel.ERROR || level === logLevel.WARN) log.warn(message, line);
  else log.debug(message, line);
}

let silenced = false;

// kafkajs arms timers for moments already past (tulios/kafkajs issue 1751); Node rounds them up and warns at each.
function silenceNegativeTimeouts(): void {
  if (silenced) return;
  silenced = true;
  const emitWarning = process.emitWarning.bind(process) as (...warning: unknown[]) => void;
  process.emitWarning = (...warning: unknown[]) => {
    if (warning[1] !== NEGATIVE_TIMEOUT) emitWarning(...warning);
  };
}
