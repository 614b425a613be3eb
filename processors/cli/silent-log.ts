import type { Log } from '../runtime/ports.ts';

/** For commands that answer on stdout and tell their progress themselves. */
export const SILENT_LOG: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT_LOG,
};
