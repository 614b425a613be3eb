import { runProgram } from './program.ts';
import type { Terminal } from './terminal.ts';

/** A connection that somebody forgot does not keep a finished command alive for longer. */
const LINGER_MS = 1_000;

const terminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  signals: process,
  exitNow: (code) => process.exit(code),
  exitCode: 0,
};

// Whoever reads the answer may have read enough: `kizuna config docs | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await runProgram(process.argv.slice(2), terminal);
setTimeout(() => process.exit(), LINGER_MS).unref();
