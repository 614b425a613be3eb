import pino from 'pino';
import { PipelineError } from '../core/errors.ts';
import type { Log } from './ports.ts';

const STDERR = 2;

/** Anything that takes whole lines of text. */
interface LineSink {
  write(line: string): void;
}

/**
 * Logs JSON lines: a constant sentence in `message`, what varies in fields of its own. To stderr, because stdout is for what
 * a command answers, and at once, so that the last line before a crash is there.
 */
export function createLog(
  level: 'debug' | 'info' | 'warn' | 'error',
  sink: LineSink = pino.destination({ dest: STDERR, sync: true }),
): Log {
  const logger = pino(
    {
      level,
      base: { pid: process.pid },
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: errorFields },
    },
    sink,
  );
  return wrap(logger);
}

function wrap(logger: pino.Logger): Log {
  return {
    debug: (message, fields = {}) => logger.debug(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
    child: (fields) => wrap(logger.child(fields)),
  };
}

/** How many causes below an error are told. */
const CAUSES_MAX = 4;

/** The field `error` of a line. Only what is named here: errors of clients carry documents and commands along. */
function errorFields(error: unknown, causes = CAUSES_MAX): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { cause } = error;
  const { message, stack } = isAnswerOfStore(error) ? withoutAnswer(error) : error;
  const code = error instanceof PipelineError ? error.code : clientCode(error);
  return {
    ...(code === undefined ? {} : { code }),
    message,
    ...(error instanceof PipelineError ? { retriable: error.retriable } : {}),
    stack,
    ...(cause === undefined || causes === 0 ? {} : { cause: errorFields(cause, causes - 1) }),
  };
}

/** MongoDB's answers quote commands and duplicate keys, and with them customers. Its driver's own errors have no number. */
function isAnswerOfStore(error: Error): boolean {
  return error.name.startsWith('Mongo') && typeof clientCode(error) === 'number';
}

function withoutAnswer(error: Error): { readonly message: string; readonly stack: string } {
  const codeName = 'codeName' in error && typeof error.codeName === 'string' ? ` ${error.codeName}` : '';
  const { name, stack = '' } = error;
  // The message stands before the first place, in as many lines as it has.
  return { message: `${name}${codeName}`, stack: `${name}${stack.slice(Math.max(0, stack.search(/\n {4}at /)))}` };
}

/** System and client errors name themselves by a string (ECONNREFUSED) or a number (MongoDB). */
function clientCode(error: Error): string | number | undefined {
  const code = 'code' in error ? error.code : undefined;
  return typeof code === 'string' || typeof code === 'number' ? code : undefined;
}
